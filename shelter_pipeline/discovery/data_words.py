"""How much a link speaks of data: a small weighted vocabulary in the languages of the portals we know.

A page is followed for what its label, its path or its classes say. Words are compared in
lower case and without accents; whole words only, so that "explorer" is not "explore".
"""

from __future__ import annotations

import re
import unicodedata
from urllib.parse import unquote

# From this on a link is worth following.
ENOUGH = 3

# weight | phrases. Of the phrases that a text holds, the strongest counts once, and each that speaks against.
_TABLE = """
5 | download data, data download, download the data, download all, data downloads, bulk download, bulk data, raw data
  , get data, get the data, access data, access the data, data access, download files, browse files, file browser
  , http access, https access, ftp access, data files, descargar datos, descarga de datos, acceso a los datos
  , telecharger les donnees, acces aux donnees, daten herunterladen, datendownload, datenzugang, baixar dados
  , download de dados, acesso aos dados
4 | download, downloads, descargar, descargas, descarga, telecharger, telechargement, telechargements, herunterladen
  , baixar, ftp, datasets, dataset, data archive, archive data, open data, explore data, view data
3 | data, files, datos, donnees, daten, dados, dateien, fichiers, archivos, ficheiros, arquivos, archive, archives
  , export, explore, pub, bulk, conjuntos de datos, jeux de donnees, datensatz, datensatze, datensaetze
  , go to resource
-4 | privacy, data protection, datenschutz, proteccion de datos, protection des donnees, protecao de dados, policy
  , policies, terms, disclaimer, cookies, citation, cite, citing, how to, help, faq, contact, news, blog, press, jobs
  , careers, login, sign in, log in, register, subscribe, newsletter, reader, browser plugin, app store, mobile app
  , software, events, webinar, training, tutorial, about, accessibility, foia, request data, submit data, upload
  , data submission, video, videos, gallery, twitter, facebook, youtube, share, feedback, survey, donate, home
"""
# What stands in a class or relation of links that web masters made for downloads.
_HINTS = re.compile(r"(?:^|[\s_-])(?:download|resource-url|data-access|enclosure)", re.IGNORECASE)
_FROM_HINTS = 2
_SEPARATORS = re.compile(r"[^a-z0-9]+")
_LONGEST = 200
_LAST_SEGMENTS = 2
_MOST_IN_TEXT = 16  # a longer label is a sentence, and begins with what it is about


def _weights(table: str) -> dict[str, int]:
    rows = (line.split("|") for line in table.replace("\n  ,", ",").strip().splitlines())
    return {phrase.strip(): int(weight) for weight, phrases in rows for phrase in phrases.split(",")}


_WEIGHTS = _weights(_TABLE)
_MOST_WORDS = max(len(phrase.split()) for phrase in _WEIGHTS)


def speaks_of_data(label: str, path: str = "", hints: str = "") -> int:
    """The weight of a link by its label, the end of its path, and its classes; below ENOUGH nobody need follow it.

    The path counts for a little less than the label, and what speaks against counts wherever it stands.
    """
    of_label = _weigh(_words(label))
    segments = [segment for segment in unquote(path[-_LONGEST * 4 :]).split("/") if segment]
    of_path = _weigh(_words(" ".join(segments[-_LAST_SEGMENTS:])))
    best = max(of_label.get("for", 0), of_path.get("for", 0) - (1 if of_label.get("for") else 0))
    against = of_label.get("against", 0) + of_path.get("against", 0)
    return best + against + (_FROM_HINTS if best and _HINTS.search(hints) else 0)


def _words(text: str) -> list[str]:
    plain = text[:_LONGEST]
    if not plain.isascii():
        plain = unicodedata.normalize("NFKD", plain).encode("ascii", "ignore").decode()
    return [word for word in _SEPARATORS.split(plain.lower()) if word][:_MOST_IN_TEXT]


def _weigh(words: list[str]) -> dict[str, int]:
    found = [
        weight
        for length in range(1, _MOST_WORDS + 1)
        for start in range(len(words) - length + 1)
        if (weight := _WEIGHTS.get(" ".join(words[start : start + length])))
    ]
    return {
        "for": max((one for one in found if one > 0), default=0),
        "against": sum(one for one in found if one < 0),
    }
