from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy.engine.default import DefaultDialect

from app.db.types import JSONObject, UTCDateTime

DIALECT = DefaultDialect()


def test_naive_datetime_is_refused() -> None:
    naive = datetime(2030, 1, 2)  # noqa: DTZ001
    with pytest.raises(ValueError, match="no time zone"):
        UTCDateTime().process_bind_param(naive, DIALECT)


def test_datetime_is_kept_in_utc() -> None:
    column = UTCDateTime()
    moment = datetime(2030, 1, 2, 3, 4, 5, 678, tzinfo=timezone(timedelta(hours=2)))
    kept = column.process_bind_param(moment, DIALECT)
    assert kept is not None
    read = column.process_result_value(kept, DIALECT)
    assert read is not None
    assert read == moment
    assert read.tzinfo is UTC


def test_json_that_is_no_object_is_refused() -> None:
    with pytest.raises(TypeError, match="expected a dict, got list"):
        JSONObject().process_bind_param([], DIALECT)


def test_none_is_stored_as_null() -> None:
    process = JSONObject().bind_processor(DIALECT)
    assert process is not None
    assert process(None) is None
