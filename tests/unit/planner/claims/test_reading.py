from __future__ import annotations

import pytest

from qwen3_planner.catalog.loading import load_catalog, load_claims
from qwen3_planner.claims.claim import ArchitectureCheck, ExistsCheck, FitsCheck, FootprintCheck
from qwen3_planner.claims.reading import parse_claims
from qwen3_planner.errors import SpecError
from qwen3_planner.request import Quantization

CATALOG = load_catalog()

SHIPPED = (
    "32b-1xa100",
    "235b-4xa100",
    "30b-a3b-16gb",
    "8b-q4km-4090",
    "8b-m2pro",
    "0.6b-pi5",
    "64-experts-36b",
    "72b-exists",
    "7b-exists",
)


def one(**check: object) -> dict[str, object]:
    return {"claims": [{"id": "a", "text": "somebody said so", "checks": [check]}]}


def test_the_shipped_claims_are_read_and_are_those_that_were_promised() -> None:
    assert tuple(claim.name for claim in parse_claims(load_claims(), CATALOG)) == SHIPPED


def test_a_claim_of_each_kind_is_read() -> None:
    document = {
        "claims": [
            {
                "id": "all",
                "text": "everything",
                "checks": [
                    {"fits": {"model": "qwen3-8b", "hardware": "1xL4", "quantization": "fp8"}},
                    {"footprint": {"model": "Qwen3-8B", "like_parameters": 8_000_000_000}},
                    {"exists": {"parameters": 8_000_000_000}},
                    {"architecture": {"experts": 128}},
                ],
            }
        ]
    }

    (claim,) = parse_claims(document, CATALOG)

    fits, footprint, exists, architecture = claim.checks
    assert isinstance(fits, FitsCheck)
    assert fits.request.model == "Qwen3-8B"
    assert fits.request.quantization is Quantization.FP8
    assert footprint == FootprintCheck("Qwen3-8B", 8_000_000_000)
    assert exists == ExistsCheck(8_000_000_000)
    assert architecture == ArchitectureCheck(experts=128)


def test_the_id_of_a_quantized_checkpoint_fixes_the_quantization() -> None:
    document = one(fits={"model": "Qwen/Qwen3-32B-AWQ", "hardware": "1xL40S"})

    ((check,),) = (claim.checks for claim in parse_claims(document, CATALOG))

    assert isinstance(check, FitsCheck)
    assert check.request.quantization is Quantization.AWQ_INT4


@pytest.mark.parametrize(
    ("document", "field", "said"),
    [
        pytest.param([], "claims", "must be a mapping", id="a list"),
        pytest.param({}, "claims", "needed", id="nothing"),
        pytest.param({"claims": 5}, "claims", "must be a list", id="a number of claims"),
        pytest.param({"claims": []}, "claims", "must not be empty", id="no claims"),
        pytest.param(
            one(fits={"model": "Qwen3-8B", "hardware": "1xL44"}),
            "claims[0].checks[0].fits.hardware",
            "1xL4-24GB",
            id="no such hardware",
        ),
        pytest.param(
            one(fits={"model": "Qwen3-8B", "hardware": "1xL4", "quantization": "awq"}),
            "claims[0].checks[0].fits.quantization",
            "awq-int4",
            id="no such format",
        ),
        pytest.param(
            one(fits={"model": "Qwen/Qwen3-8B-AWQ", "hardware": "1xL4", "quantization": "bf16"}),
            "claims[0].checks[0].fits.quantization",
            "contradicts",
            id="two formats",
        ),
        pytest.param(
            one(fits={"model": "Qwen3-8B", "hardware": "1xL4", "tpot_ms": 0}),
            "claims[0].checks[0].fits.tpot_ms",
            "greater than 0",
            id="no time at all",
        ),
        pytest.param(one(), "claims[0].checks[0]", "exactly one kind", id="no kind"),
        pytest.param(
            one(exists={"parameters": 1}, architecture={}),
            "claims[0].checks[0]",
            "exactly one kind",
            id="two kinds",
        ),
        pytest.param(
            one(fit={"model": "Qwen3-8B"}),
            "claims[0].checks[0].fit",
            "(allowed: fits, ",
            id="a misspelt kind",
        ),
        pytest.param(
            one(exists={"parameter": 1}),
            "claims[0].checks[0].exists.parameter",
            "(allowed: parameters, ",
            id="a misspelt field",
        ),
        pytest.param(
            one(exists={"parameters": "many"}),
            "claims[0].checks[0].exists.parameters",
            "many",
            id="no number",
        ),
        pytest.param(
            one(fits={"model": "Qwen3-9B", "hardware": "1xL4"}),
            "claims[0].checks[0].fits.model",
            "Qwen3-9B",
            id="no such model",
        ),
        pytest.param(
            {"claims": one(exists={"parameters": 1})["claims"] * 2},  # type: ignore[operator]  # a list
            "claims[1].id",
            "earlier claim",
            id="an id twice",
        ),
    ],
)
def test_a_wrong_document_is_told_where_and_why(document: object, field: str, said: str) -> None:
    with pytest.raises(SpecError) as caught:
        parse_claims(document, CATALOG)

    assert caught.value.field == field
    assert said.lower() in str(caught.value).lower()
