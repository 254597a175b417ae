-- A resource whose address changed since it was looked at is not attached by what it was: it is due again.
DELETE FROM staged_place
 USING resource
 WHERE resource.id = staged_place.resource_id
   AND coalesce(resource.url, '') <> staged_place.listed;
