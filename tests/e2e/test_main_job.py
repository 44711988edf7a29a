"""Ten lines of YAML become a model that answers, on a real node."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from support.node.tiny import tiny

if TYPE_CHECKING:
    from support.node import Supplies
    from support.node.team import Team

pytestmark = pytest.mark.e2e


def test_a_model_answers_over_its_service(team: Team, supplies: Supplies) -> None:
    team.apply(tiny(supplies))

    status = team.await_ready("tiny")

    assert status["plan"]["layout"]["gpusPerReplica"] == 1
    thought = team.message("tiny")
    assert thought.get("reasoning") or thought.get("reasoning_content")
    assert not thought.get("content")
    answered = team.message("tiny", chat_template_kwargs={"enable_thinking": False})
    assert answered["content"]
    pieces = list(team.stream("tiny", max_tokens=5))
    assert len(pieces) >= 5
