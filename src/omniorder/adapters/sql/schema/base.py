"""What all tables share: metadata of their own, column types by meaning, and the form of constraints."""

from __future__ import annotations

import re
from datetime import datetime
from typing import Annotated, Any, Final

from sqlalchemy import CheckConstraint, ForeignKeyConstraint, MetaData, Table, Text, text
from sqlalchemy.orm import registry
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from omniorder.adapters.sql.columns import Beginning, Instant, Json, Key, Real, Whole

METADATA: Final = MetaData(
    naming_convention={
        "pk": "%(table_name)s_pkey",
        "fk": "%(table_name)s_%(referred_table_name)s_fkey",
        "ck": "%(table_name)s_%(constraint_name)s",
    }
)

PrimaryId = Annotated[str, Field(sa_type=Key, primary_key=True)]
PrimaryWhole = Annotated[int, Field(sa_type=Whole, primary_key=True)]
PrimaryInstant = Annotated[datetime, Field(sa_type=Instant, primary_key=True)]
PrimaryBeginning = Annotated[datetime | None, Field(sa_type=Beginning, primary_key=True)]
Id = Annotated[str, Field(sa_type=Key)]
MaybeId = Annotated[str | None, Field(sa_type=Key)]
Words = Annotated[str, Field(sa_type=Text)]
MaybeWords = Annotated[str | None, Field(sa_type=Text)]
Number = Annotated[int, Field(sa_type=Whole)]
MaybeNumber = Annotated[int | None, Field(sa_type=Whole)]
LaterNumber = Annotated[int, Field(sa_type=Whole, sa_column_kwargs={"server_default": text("0")})]
"""A number in a table that had rows without it: these count as 0."""
Flag = Annotated[int, Field(sa_type=Whole, sa_column_kwargs={"server_default": "0"})]
MaybeDegrees = Annotated[float | None, Field(sa_type=Real)]
At = Annotated[datetime, Field(sa_type=Instant)]
MaybeAt = Annotated[datetime | None, Field(sa_type=Instant)]
Document = Annotated[Any, Field(sa_type=Json, nullable=False)]
MaybeDocument = Annotated[Any, Field(sa_type=Json, nullable=True)]
Labels = Annotated[Any, Field(sa_type=Json, nullable=False, sa_column_kwargs={"name": "metadata"})]

STRICT: Final = {"sqlite_strict": True}


def with_default(kind: type[TypeEngine[Any]], value: str) -> Any:
    """A column that came after its table: rows that were there before have this in it."""
    return Field(sa_type=kind, nullable=False, sa_column_kwargs={"server_default": value})


def check(name: str, rule: str) -> CheckConstraint:
    """A rule that every row keeps."""
    return CheckConstraint(rule, name=name)


def within(parent: str, **columns: str) -> ForeignKeyConstraint:
    """A foreign key from these columns to the parent's."""
    return ForeignKeyConstraint(list(columns), [f"{parent}.{name}" for name in columns.values()])


class Row(SQLModel, registry=registry(metadata=METADATA)):
    """The root of all tables. `CartLineRow` declares `omniorder_cart_line`."""

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        words = re.findall("[A-Z][a-z]+", cls.__name__.removesuffix("Row"))
        # the attribute is declared as something else, since it may be computed too
        type.__setattr__(cls, "__tablename__", "_".join(["omniorder", *words]).lower())


def table(row: type[Row]) -> Table:
    """The Core table that a row class declares."""
    declared: Table = vars(row)["__table__"]
    return declared
