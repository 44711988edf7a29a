"""The real engine, shared by the tests of this folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from qwen3_planner.catalog.loading import load_catalog
from support.availability import cannot_run
from support.engine.environment import BUILD_COMMAND, find_or_build, say_on_stderr
from support.engine.errors import EngineRigError
from support.engine.gpus import described
from support.engine.oracle import Oracle
from support.engine.rig import Rig
from support.engine.sglang_parser import SglangParser, find_or_install

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from qwen3_planner.catalog.rows import Catalog, ModelArchitecture
    from support.engine.environment import EngineEnvironment


@pytest.fixture(scope="session")
def engine(request: pytest.FixtureRequest) -> EngineEnvironment:
    """The environment of the engine; built when missing, in sight of who waits."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            return find_or_build(say_on_stderr)
    except EngineRigError as error:
        cannot_run(f"No real engine: {error}", BUILD_COMMAND)


@pytest.fixture(scope="session")
def catalog() -> Catalog:
    """The catalog as it ships."""
    return load_catalog()


@pytest.fixture(scope="session")
def model(catalog: Catalog) -> ModelArchitecture:
    """Qwen3-8B in small."""
    return replace(
        catalog.model("Qwen3-8B"),
        layers=2,
        hidden_size=256,
        intermediate_size=512,
        vocab_size=1024,
        max_position_embeddings=4096,
    )


@pytest.fixture(scope="session")
def oracle_on(engine: EngineEnvironment, catalog: Catalog) -> Iterator[Callable[[str], Oracle]]:
    """One oracle per accelerator, started when it is first asked for."""
    running: dict[str, Oracle] = {}

    def oracle(accelerator: str) -> Oracle:
        if accelerator not in running:
            gpu = described(catalog.accelerator(accelerator), count=64)
            running[accelerator] = Oracle(engine, gpu)
        return running[accelerator]

    yield oracle
    for each in running.values():
        each.close()


@pytest.fixture(scope="session")
def sglang(engine: EngineEnvironment, request: pytest.FixtureRequest) -> Iterator[SglangParser]:
    """SGLang's own parser; its wheel is installed when missing."""
    capture = request.config.pluginmanager.getplugin("capturemanager")
    try:
        with capture.global_and_fixture_disabled():
            packages = find_or_install(say_on_stderr)
    except EngineRigError as error:
        cannot_run(f"No parser of SGLang: {error}", BUILD_COMMAND)
    with SglangParser(engine, packages) as parser:
        yield parser


@pytest.fixture
def rig(catalog: Catalog, oracle_on: Callable[[str], Oracle], tmp_path: Path) -> Rig:
    """Catalog, engine and an own folder."""
    return Rig(catalog, oracle_on, tmp_path)
