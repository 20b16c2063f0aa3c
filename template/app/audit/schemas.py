from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, Field

from app.audit.entries import shorten_record_id
from app.audit.log import Action
from app.web.paging import LimitQuery
from app.web.schemas import Output, Text


def _number_if_it_is_one(record_id: Any) -> Any:
    text = str(record_id)
    return int(text) if text.isdecimal() and str(int(text)) == text else record_id


RecordId = Annotated[Text, Field(max_length=3000), AfterValidator(shorten_record_id)]


class AuditQuery(LimitQuery):
    table_name: Annotated[Text, Field(max_length=64)] | None = None
    record_id: RecordId | None = None
    cursor: str | None = None


class Change(BaseModel):
    old: Any
    new: Any


class AuditEntry(Output):
    id: int
    table_name: str
    record_id: Annotated[int | str, BeforeValidator(_number_if_it_is_one)]
    action: Action
    changes: dict[str, Change]
    actor: str | None
    created_at: datetime
