"""`metadata.json` of a delivery of forecasts, refused by the name of the field that is wrong."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from pydantic import AwareDatetime, ConfigDict, Field, TypeAdapter, ValidationError

FILE = "metadata.json"

Text = Annotated[str, Field(min_length=1)]


@dataclass(frozen=True)
class Metadata:
    """What a delivery says of itself."""

    __pydantic_config__: ClassVar[ConfigDict] = ConfigDict(extra="forbid")

    model_version: Text
    generated_at: AwareDatetime
    source: Text
    dataset_id: Text
    cutoff_date: date
    horizon: Annotated[int, Field(gt=0, strict=True)]
    """Days after the cutoff that are forecast."""
    ci_level: Annotated[float, Field(gt=0, lt=1)]
    grain: Literal["day", "week"]
    metrics: dict[str, Any]

    @property
    def bucket_days(self) -> int:
        return 7 if self.grain == "week" else 1


def read(folder: Path) -> Metadata:
    """The metadata of the delivery in this folder, or ValueError that says what is wrong."""
    try:
        document = json.loads((folder / FILE).read_text("utf8"))
        metadata = TypeAdapter(Metadata).validate_python(document)
    except ValidationError as error:
        found = [
            f"{'.'.join(map(str, one['loc'])) or 'it'}: {one['msg'].lower()}"
            for one in error.errors()
        ]
        raise ValueError(f"{FILE}: {'; '.join(found)}") from error
    except ValueError as error:
        raise ValueError(f"{FILE} is no JSON: {error}") from error
    for field, name in (
        ("dataset_id", folder.parent.name),
        ("model_version", folder.name),
    ):
        if getattr(metadata, field) != name:
            raise ValueError(f"{FILE}: {field} is not the folder's, {name!r}")
    return metadata
