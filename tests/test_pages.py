"""Generated pages are up to date."""

from __future__ import annotations

import pytest

from archspec.ops import OPS, Op
from archspec.ops.attribute_types import attributes_of
from archspec.ops.documentation import documentation
from tools import op_reference, pages, zoo_table


def test_the_reference_of_the_ops_is_up_to_date() -> None:
    assert op_reference.PAGE.read_text("utf-8") == op_reference.page(), "run ./tools/op_reference.py"


def test_the_table_of_the_zoo_is_up_to_date() -> None:
    assert pages.LANGUAGE.read_text("utf-8") == zoo_table.page(), "run ./tools/zoo_table.py"


@pytest.mark.parametrize("op", OPS, ids=lambda op: op.kind)
def test_every_op_documents_itself_and_its_attributes(op: type[Op]) -> None:
    about = documentation(op)
    assert about.summary
    assert list(about.attributes) == list(attributes_of(op))
