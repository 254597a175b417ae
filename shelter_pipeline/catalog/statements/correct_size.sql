-- Whoever has hashed the bytes knows how many they are; before, two nodes may have agreed on another number.
UPDATE blob SET size = :size WHERE sha256 = :sha256 AND size <> :size;
