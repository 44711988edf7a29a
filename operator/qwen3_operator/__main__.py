"""The program: flags, environment and file become settings; the operator runs, or is checked."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import click

from qwen3_operator import setting_text
from qwen3_operator import settings as settings_module
from qwen3_operator.errors import ClusterError, SpecError
from qwen3_operator.setting_text import ENVIRONMENT_PREFIX
from qwen3_operator.settings import LogFormat, Settings

PAIRS = {
    "image_registries": "--image-registry",
    "pod_labels": "--pod-label",
    "pod_monitor_labels": "--pod-monitor-label",
}
"""Settings that are key=value pairs, and the flags that give one each."""

BAD_INPUT = 2
FAILED = 1


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Serve Qwen3 models on the GPUs a Kubernetes cluster really has."""


@main.command()
@click.option("--config", type=click.Path(path_type=Path), help="YAML file with settings.")
@click.option("--namespace", "namespaces", multiple=True, help="Serve only it; repeatable.")
@click.option("--workers", type=int, help="Resources reconciled at the same time.")
@click.option("--image", "images", multiple=True, help="engine=image instead of the catalog's.")
@click.option(
    "--image-registry", "image_registries", multiple=True, help="docker.io=mirror; * is any other."
)
@click.option(
    "--image-pull-secret", "image_pull_secrets", multiple=True, help="Secret beside each model."
)
@click.option("--hf-endpoint", help="URL of a mirror of Hugging Face.")
@click.option("--modelscope-endpoint", help="URL of a mirror of ModelScope.")
@click.option("--https-proxy", help="URL of the proxy to the hubs, without a password.")
@click.option("--http-proxy", help="The same for plain http.")
@click.option("--no-proxy", help="Hosts that need no proxy, separated by commas.")
@click.option("--ca-config-map", help="ConfigMap with certificate authorities (key ca.crt).")
@click.option("--amd-group", "amd_groups", multiple=True, type=int, help="Group of AMD devices.")
@click.option("--fetch-image", help="Image with this program, for Jobs that fill caches.")
@click.option(
    "--allow-host-path/--no-allow-host-path",
    default=None,
    help="Let resources keep weights in a folder of the node.",
)
@click.option(
    "--pod-monitors/--no-pod-monitors",
    default=None,
    help="Give each model a PodMonitor, unless it says otherwise.",
)
@click.option(
    "--pod-monitor-label", "pod_monitor_labels", multiple=True, help="key=value; repeatable."
)
@click.option(
    "--prometheus-namespace",
    "prometheus_namespaces",
    multiple=True,
    help="Namespace whose Prometheus may pass network policies; repeatable.",
)
@click.option("--gateway", help="NAMESPACE/NAME of the Gateway of routes that name none.")
@click.option("--route-hostname", help="Host name of such routes: {name}.{namespace}.example.com.")
@click.option("--pod-label", "pod_labels", multiple=True, help="key=value of the operator's pods.")
@click.option("--offline/--no-offline", default=None, help="Fetch nothing from hubs.")
@click.option("--kubeconfig", help="Kubeconfig; default: the pod's account, else kubectl's rules.")
@click.option("--context", help="Context of the kubeconfig.")
@click.option("--lease-name", help="Lease that the one working operator holds.")
@click.option("--lease-namespace", help="Namespace of that Lease.")
@click.option("--lease-duration-s", type=float, help="How long a silent holder keeps it.")
@click.option("--lease-renew-deadline-s", type=float, help="A holder stops after so long.")
@click.option("--lease-retry-s", type=float, help="Pause between two attempts to get it.")
@click.option("--identity", help="Name of this process in the Lease.")
@click.option("--health-host", help="Address of /healthz and /readyz.")
@click.option("--health-port", type=int, help="Port of the same; 0 turns them off.")
@click.option(
    "--read-engines/--no-read-engines",
    default=None,
    help="Ask ready engines for their KV cache and show it beside the plan's.",
)
@click.option("--group-limit-s", type=float, help="A replica bound in part is given up after it.")
@click.option(
    "--name-all-holders/--no-name-all-holders",
    default=None,
    help="Name in the status who of other namespaces holds GPUs.",
)
@click.option("--near-label", "near_labels", multiple=True, help="Label of nodes that are near.")
@click.option("--prometheus-url", help="Prometheus that scrapes the engines, for spec.scaling.")
@click.option("--prometheus-token-file", help="File with a bearer token for it.")
@click.option("--prometheus-ca-file", help="File with the authorities trusted for it.")
@click.option("--prometheus-proxy", help="URL of the proxy to it, without a password.")
@click.option("--prometheus-timeout-s", type=float, help="Time for one answer of it.")
@click.option("--scaling-interval-s", type=int, help="Seconds between two readings of a load.")
@click.option("--request-timeout-s", type=float, help="Time for one request.")
@click.option("--request-limit", type=int, help="Requests in flight at once.")
@click.option("--drain-timeout-s", type=float, help="On SIGTERM, time for reconciles to finish.")
@click.option("--log-level", help="DEBUG, INFO, WARNING or ERROR.")
@click.option(
    "--log-format",
    type=click.Choice([form.value for form in LogFormat]),
    help="Log lines for people (text) or for collectors (json).",
)
def run(config: Path | None, **flags: Any) -> None:  # noqa: ANN401 - as click passes them
    """Run the operator.

    Each option is a setting; it may also be given in the environment (QWEN3_OPERATOR_WORKERS=4) or
    in the file of --config (workers: 4). An option wins over the environment, that over the file.
    """
    try:
        settings = _settings(config, flags)
    except SpecError as error:
        click.echo(f"qwen3-operator: {error}", err=True)
        sys.exit(BAD_INPUT)
    sys.exit(_run(settings))


@main.command()
@click.option("--config", type=click.Path(path_type=Path), help="YAML file with settings.")
@click.option("--kubeconfig", help="Kubeconfig; default: the pod's account, else kubectl's rules.")
@click.option("--context", help="Context of the kubeconfig.")
@click.option("--lease-name", help="Lease that the one working operator holds.")
@click.option("--lease-namespace", help="Namespace of that Lease and of the operator's pods.")
@click.option("--pod-label", "pod_labels", multiple=True, help="key=value of the operator's pods.")
@click.option("--health-port", type=int, help="Port of their /readyz.")
@click.option(
    "--timeout-s",
    default=60.0,
    type=click.FloatRange(0.0),
    help="Time for what may still become right.  [default: 60]",
)
def check(config: Path | None, timeout_s: float, **flags: Any) -> None:  # noqa: ANN401 - as click passes them
    """Look whether an installed operator works, as `helm test` does; exits with 1 where not.

    It takes the operator's own settings and account: is the resource definition served, and not
    older than this release, may the account do all that an operator does, do its pods answer, and
    is the Lease renewed?
    """
    try:
        settings = _settings(config, flags)
    except SpecError as error:
        click.echo(f"qwen3-operator: {error}", err=True)
        sys.exit(BAD_INPUT)
    sys.exit(_check(settings, timeout_s))


@main.command()
@click.argument("source")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="Folder.")
@click.option("--revision", default="", help="Branch, tag or commit; default: the hub's branch.")
@click.option("--include", multiple=True, help="Only files like this (*.gguf); repeatable.")
@click.option("--link", default="", help="Name by which the one file of GGUF weights is reachable.")
@click.option("--encoder-link", default="", help="The same for the image encoder's file.")
@click.option("--parts", default=1, type=click.IntRange(1), help="Of how many parts this is one.")
@click.option(
    "--part",
    default=0,
    type=click.IntRange(0),
    envvar="JOB_COMPLETION_INDEX",
    help="Which of them, from 0; a Job's pods know their own.",
)
@click.option(
    "--message-file",
    type=click.Path(path_type=Path),
    help="Where the last words go, for Kubernetes: /dev/termination-log.",
)
def fetch(  # noqa: PLR0913, PLR0917 - one option each
    source: str,
    folder: Path,
    revision: str,
    include: tuple[str, ...],
    link: str,
    encoder_link: str,
    parts: int,
    part: int,
    message_file: Path | None,
) -> None:
    """Fetch the weights of SOURCE (hf://ORG/NAME, modelscope://ORG/NAME) into a folder.

    It goes on where an earlier run stopped. Tokens and mirrors come from the environment: HF_TOKEN
    and HF_ENDPOINT, MODELSCOPE_API_TOKEN and MODEL_ENDPOINT. The prefetch Job of a cache runs this.
    """
    from qwen3_operator.fetching import program  # noqa: PLC0415 - --help must not wait
    from qwen3_operator.fetching.hubs import Repository  # noqa: PLC0415 - the same

    hub, separator, name = source.partition("://")
    if hub not in ("hf", "modelscope") or not separator or part >= parts:
        click.echo("qwen3-operator: fetch takes hf:// or modelscope://, --part < --parts", err=True)
        sys.exit(BAD_INPUT)
    order = program.Order(
        Repository(hub, name, revision), folder, include, link, encoder_link, part, parts
    )
    sys.exit(program.run(order, os.environ, message_file))


@main.command("check-adapters")
@click.argument("places", nargs=-1, required=True, metavar="NAME=PATH...")
@click.option("--engine", default="vllm", help="Engine that is to load them.")
@click.option("--max-rank", required=True, type=click.IntRange(1), help="Largest that fits.")
@click.option(
    "--message-file",
    type=click.Path(path_type=Path),
    help="Where the last words go, for Kubernetes: /dev/termination-log.",
)
def check_adapters(
    places: tuple[str, ...], engine: str, max_rank: int, message_file: Path | None
) -> None:
    """Look LoRA adapters over before an engine loads them.

    Exits with 46 and says why where one does not fit. An init container of each pod runs this.
    """
    from qwen3_operator.fetching import checking  # noqa: PLC0415 - --help must not wait

    named = {name: Path(path) for name, _, path in (place.partition("=") for place in places)}
    sys.exit(checking.run(named, engine, max_rank, message_file))


@main.command("write-adapter-guard")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="Folder.")
def write_adapter_guard(folder: Path) -> None:
    """Put the middleware that guards an engine's adapters where the engine imports it."""
    from qwen3_operator.fetching import adapter_guard  # noqa: PLC0415 - --help must not wait

    source = Path(adapter_guard.__file__)
    (folder / source.name).write_text(source.read_text(encoding="utf-8"), encoding="utf-8")


@main.command("load-adapters")
@click.option("--engine", required=True, help="URL of the engine, on localhost.")
@click.option("--list", "listed", required=True, type=click.Path(path_type=Path), help="JSON.")
@click.option("--to", "folder", required=True, type=click.Path(path_type=Path), help="Folder.")
@click.option("--max-rank", required=True, type=click.IntRange(1), help="Largest that fits.")
@click.option(
    "--ready-file", required=True, type=click.Path(path_type=Path), help="Made when done."
)
def load_adapters(engine: str, listed: Path, folder: Path, max_rank: int, ready_file: Path) -> None:
    """Keep the LoRA adapters of a running engine as a list says.

    It runs beside the engine. The API key comes from the environment: QWEN3_API_KEY.
    """
    from qwen3_operator.fetching import loading  # noqa: PLC0415 - --help must not wait
    from qwen3_operator.handlers import logs  # noqa: PLC0415 - the same

    logs.set_up("INFO", settings_module.LogFormat.TEXT)
    task = loading.Task(engine, listed, folder, max_rank, ready_file)
    loading.keep(task, os.environ)


def _settings(config: Path | None, flags: dict[str, Any]) -> Settings:
    path = config or os.environ.get(ENVIRONMENT_PREFIX + "CONFIG")
    try:
        text = Path(path).read_text(encoding="utf-8") if path else None
    except OSError as error:
        raise SpecError("--config", str(path), error.strerror or str(error)) from error
    if flags.get("images"):
        flags["images"] = setting_text.parse_images(flags["images"])
    for name, flag in PAIRS.items():
        flags[name] = setting_text.parse_labels(flags.get(name, ()), flag)
    given = {name: value for name, value in flags.items() if value not in (None, (), {})}
    return settings_module.load(text, os.environ, given)


def _run(settings: Settings) -> int:
    from qwen3_operator.handlers import logs, operator  # noqa: PLC0415 - --help must not wait

    logs.set_up(settings.log_level, settings.log_format)
    try:
        ended_as_asked = asyncio.run(operator.run(settings))
    except SpecError as error:
        click.echo(f"qwen3-operator: {error}", err=True)
        return BAD_INPUT
    except ClusterError as error:
        click.echo(f"qwen3-operator: no cluster is configured: {error.message}", err=True)
        return FAILED
    return 0 if ended_as_asked else FAILED


def _check(settings: Settings, timeout_s: float) -> int:
    from qwen3_operator.installation import program  # noqa: PLC0415 - --help must not wait

    try:
        found = asyncio.run(program.check(settings, timeout_s))
    except ClusterError as error:
        click.echo(f"qwen3-operator: no cluster is configured: {error.message}", err=True)
        return FAILED
    for finding in found:
        click.echo(str(finding))
    return 0 if all(finding.works for finding in found) else FAILED


if __name__ == "__main__":
    main()
