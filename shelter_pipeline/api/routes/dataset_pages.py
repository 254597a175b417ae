"""Pages of datasets: the search, a dataset whole, the versions of its record, a file with all its captures."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Path, Query, Request, Response

from shelter_pipeline.api.addresses import Address
from shelter_pipeline.api.answers import answer
from shelter_pipeline.api.errors import not_found
from shelter_pipeline.api.page_questions import DatasetsPageAsked, FilesPageAsked
from shelter_pipeline.api.pages import page
from shelter_pipeline.api.parameters import MAX_BIGINT, Id
from shelter_pipeline.api.public_url import base_of
from shelter_pipeline.api.services import Serving
from shelter_pipeline.api.upkeep import UPKEEP_SECONDS, Upkept
from shelter_pipeline.operations.dataset_view import (
    dataset_view,
    files_of_dataset,
    sums_of_dataset,
    version_view,
)
from shelter_pipeline.operations.file_view import file_page_view
from shelter_pipeline.operations.ledger import portal_keys
from shelter_pipeline.operations.pages import Page
from shelter_pipeline.operations.read_datasets import (
    DatasetQuestion,
    dataset_card,
    list_datasets,
    search_datasets,
)
from shelter_pipeline.operations.workplace import Workplace
from shelter_pipeline.presentation.structured import dataset_as_schema_org

router = APIRouter(include_in_schema=False)
_HERE = "/browse/datasets"
_LIST_SECONDS, _ONE_SECONDS, _VERSION_SECONDS = 15, 30, 3600
_CAPTURES, _FILES = 10, 40
_TEXT = "text/plain; charset=utf-8"
VersionId = Annotated[int, Path(ge=1, le=MAX_BIGINT)]


@router.get("/browse/datasets")
def datasets(
    request: Request, serving: Serving, upkeep: Upkept, asked: Annotated[DatasetsPageAsked, Query()]
) -> Response:
    """Search, or the latest changes first; with `part=results` only what a change of the question changes."""
    if asked.q is not None:
        upkeep.words.ask(wait_seconds=UPKEEP_SECONDS)
    return page(
        request,
        "dataset_results.html" if asked.part else "datasets.html",
        here=_HERE,
        seconds=_LIST_SECONDS,
        title=f"{asked.q}: datasets" if asked.q else "Datasets",
        asked=asked,
        found=_found(serving.workplace, asked),
        portals=[] if asked.part else portal_keys(serving.workplace),
        at=Address(_HERE, asked.narrowed).with_,
    )


@router.get("/browse/datasets/{dataset_id}")
def dataset(request: Request, serving: Serving, dataset_id: Id) -> Response:
    """A dataset whole: where it stands, its files to download, its history."""
    found = dataset_view(serving.workplace, dataset_id)
    if found is None:
        raise _no_dataset(dataset_id)
    base = base_of(request)
    answered = page(
        request,
        "dataset.html",
        here=_HERE,
        seconds=_ONE_SECONDS,
        title=found["title"],
        dataset=found,
        base=base,
        described=dataset_as_schema_org(found, base),
    )
    answered.headers["Link"] = f'<{base}/datasets/{dataset_id}>; rel="alternate"; type="application/json"'
    return answered


@router.get("/browse/datasets/{dataset_id}/files")
def files(
    request: Request, serving: Serving, dataset_id: Id, asked: Annotated[FilesPageAsked, Query()]
) -> Response:
    """All files of a dataset, or of one of its links."""
    return page(
        request,
        "dataset_files.html",
        here=_HERE,
        seconds=_ONE_SECONDS,
        title=f"Files of dataset {dataset_id}",
        dataset=_known(serving.workplace, dataset_id),
        resource=asked.resource,
        found=files_of_dataset(
            serving.workplace, dataset_id, Page(_FILES, asked.after), resource=asked.resource
        ),
    )


@router.get("/browse/datasets/{dataset_id}/SHA256SUMS")
def sums(request: Request, serving: Serving, dataset_id: Id) -> Response:
    """What `sha256sum --check` reads."""
    _known(serving.workplace, dataset_id)
    listed = sums_of_dataset(serving.workplace, dataset_id)
    answered = answer(request, listed, seconds=_ONE_SECONDS, media_type=_TEXT)
    answered.headers["Content-Disposition"] = 'attachment; filename="SHA256SUMS"'
    return answered


@router.get("/browse/datasets/{dataset_id}/versions/{version_id}")
def version(request: Request, serving: Serving, dataset_id: Id, version_id: VersionId) -> Response:
    """What a record said before it was replaced, and all that became of it."""
    return page(
        request,
        "dataset_version.html",
        here=_HERE,
        seconds=_ONE_SECONDS,
        title=f"An older record of dataset {dataset_id}",
        dataset=_known(serving.workplace, dataset_id),
        version=_version(serving.workplace, dataset_id, version_id),
    )


@router.get("/browse/datasets/{dataset_id}/versions/{version_id}/record")
def version_record(request: Request, serving: Serving, dataset_id: Id, version_id: VersionId) -> Response:
    """The portal's own record as it was, canonical JSON."""
    found = _version(serving.workplace, dataset_id, version_id)
    return answer(request, str(found["raw"]), seconds=_VERSION_SECONDS)


@router.get("/browse/files/{asset_id}")
def file(
    request: Request, serving: Serving, asset_id: Id, asked: Annotated[FilesPageAsked, Query()]
) -> Response:
    """A file with every attempt at it, every bytes it ever had, and who holds copies."""
    found = file_page_view(serving.workplace, asset_id, Page(_CAPTURES, asked.after))
    if found is None:
        raise not_found(f"there is no file {asset_id}; the page of its dataset leads to it")
    return page(
        request,
        "file.html",
        here=_HERE,
        seconds=_ONE_SECONDS,
        title=found["filename"],
        file=found,
        base=base_of(request),
    )


def _found(workplace: Workplace, asked: DatasetsPageAsked) -> dict[str, Any]:
    begins = Page(asked.limit, asked.after)
    question = DatasetQuestion(
        organization=asked.organization, portal=asked.portal, state=asked.state, kind=asked.kind
    )
    if asked.q is not None:
        return search_datasets(workplace, asked.q, question, begins)
    # Latest first where everything is meant; of a part, all are shown, those without a date too.
    order = DatasetQuestion(order="modified") if asked.is_everything else question
    return list_datasets(workplace, order, begins)


def _known(workplace: Workplace, dataset_id: int) -> dict[str, Any]:
    found = dataset_card(workplace, dataset_id)
    if found is None:
        raise _no_dataset(dataset_id)
    return found


def _version(workplace: Workplace, dataset_id: int, version_id: int) -> dict[str, Any]:
    found = version_view(workplace, dataset_id, version_id)
    if found is None:
        raise not_found(
            f"dataset {dataset_id} has no replaced record {version_id}; its page lists those it has"
        )
    return found


def _no_dataset(dataset_id: int) -> Exception:
    return not_found(f"there is no dataset {dataset_id}; search for its name, or for a link of it")
