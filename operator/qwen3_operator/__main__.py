"""``qwen3-operator run``: flags, environment and file become settings, then the operator runs."""

from __future__ import annotations

import asyncio
import os
import sys
from pathlib import Path
from typing import Any

import click

from qwen3_operator import settings as settings_module
from qwen3_operator.errors import ClusterError, SpecError
from qwen3_operator.settings import ENVIRONMENT_PREFIX, LogFormat, Settings

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
@click.option("--hf-endpoint", help="URL of a mirror of Hugging Face.")
@click.option("--modelscope-endpoint", help="URL of a mirror of ModelScope.")
@click.option("--https-proxy", help="URL of the proxy to the hubs, without a password.")
@click.option("--http-proxy", help="The same for plain http.")
@click.option("--no-proxy", help="Hosts that need no proxy, separated by commas.")
@click.option("--ca-config-map", help="ConfigMap with certificate authorities (key ca.crt).")
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


def _settings(config: Path | None, flags: dict[str, Any]) -> Settings:
    path = config or os.environ.get(ENVIRONMENT_PREFIX + "CONFIG")
    try:
        text = Path(path).read_text(encoding="utf-8") if path else None
    except OSError as error:
        raise SpecError("--config", str(path), error.strerror or str(error)) from error
    if flags["images"]:
        flags["images"] = settings_module.parse_images(flags["images"])
    given = {name: value for name, value in flags.items() if value not in (None, ())}
    return settings_module.load(text, os.environ, given)


def _run(settings: Settings) -> int:
    from qwen3_operator.handlers import logs, operator  # noqa: PLC0415 - --help must not wait

    logs.set_up(settings.log_level, settings.log_format)
    try:
        ended_as_asked = asyncio.run(operator.run(settings))
    except ClusterError as error:
        click.echo(f"qwen3-operator: no cluster is configured: {error.message}", err=True)
        return FAILED
    return 0 if ended_as_asked else FAILED


if __name__ == "__main__":
    main()
