"""The number format that suits the machine."""

import pytest
import torch

from nitrogen.model import precision


@pytest.mark.parametrize(
    ("instructions", "expected"),
    [
        ({"avx2": True, "avx512_bf16": False, "amx_bf16": False}, "float32"),
        ({"avx2": True, "avx512_bf16": True}, "bfloat16"),
        ({"architecture": "aarch64", "bf16": True}, "bfloat16"),
        ({}, "float32"),
    ],
)
def test_auto_is_bfloat16_where_the_cpu_multiplies_it(instructions, expected, monkeypatch):
    monkeypatch.setattr(torch.cpu, "get_capabilities", lambda: instructions)

    assert precision.chosen("auto") == expected
    assert precision.chosen("bfloat16") == "bfloat16"
    assert precision.chosen("float32") == "float32"


@pytest.mark.parametrize(
    ("name", "expected"), [("bfloat16", torch.bfloat16), ("float32", torch.float32)]
)
def test_products_are_computed_in_the_format_that_was_asked_for(name, expected):
    with precision.autocast(name):
        product = torch.ones(2, 2) @ torch.ones(2, 2)

    assert product.dtype == expected
    assert torch.equal(product.float(), torch.full((2, 2), 2.0))
