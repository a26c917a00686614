"""The deployment and caller of a command, from `.local/stack.json`, a profile, or the options."""

from argparse import Namespace
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path

from webhooks_cli.config import Profile, find_stack_file, read_profile, read_stack_file
from webhooks_cli.context import CliContext
from webhooks_cli.errors import MissingError, WrongUseError

DEFAULT_LEVEL = "system"
LICENSE_VARIABLE = "WEBHOOKS_LICENSE"


@dataclass(frozen=True, slots=True, kw_only=True)
class Deployment:
    """A deployment and its caller; None stands for a value that no source gives.

    `origin` names the source, for error texts. `names`: queue URLs and tables that are known without
    CloudFormation, by their names in stack.json. `key_file` is made on first use if `makes_key_file`.
    """

    origin: str
    url: str | None = None
    tenant_id: str | None = None
    community_id: str | None = None
    license: str | None = field(default=None, repr=False)
    key_file: Path | None = None
    makes_key_file: bool = False
    stack: str | None = None
    region: str | None = None
    aws_endpoint: str | None = None
    names: Mapping[str, str] = field(default_factory=dict)

    def require_license(self) -> str:
        """Return the license key; raises MissingError."""
        if not self.license:
            raise MissingError(
                f"{self.origin} has no license: set {LICENSE_VARIABLE}, give --license-file, "
                "or put license_file into the profile"
            )
        return self.license


def find_deployment(options: Namespace, context: CliContext) -> Deployment:
    """Find the deployment by --profile, else --url or --stack, else `.local/stack.json` here or above."""
    if options.profile:
        deployment = _of_profile(read_profile(options.profile, context.home), context)
    elif options.url or options.stack:
        deployment = Deployment(origin="this call", license=context.environment.get(LICENSE_VARIABLE))
    else:
        deployment = _of_stack_file(options, context)
    if options.level and not deployment.makes_key_file:
        raise WrongUseError(
            "--level picks one of the licenses in .local/stack.json: not with --profile, --url, --stack"
        )
    return _with_options(deployment, options, folder=context.folder)


def _with_options(deployment: Deployment, options: Namespace, *, folder: Path) -> Deployment:
    license_file, key_file = options.license_file, options.key_file
    given = {
        "url": options.url,
        "tenant_id": options.tenant,
        "community_id": options.community,
        "stack": options.stack,
        "region": options.region,
        "key_file": key_file and folder / key_file.expanduser(),
        "makes_key_file": deployment.makes_key_file and not key_file,
        "license": license_file and read_license(folder / license_file.expanduser()),
    }
    deployment = replace(deployment, **{name: value for name, value in given.items() if value is not None})
    if deployment.url and not deployment.url.startswith(("https://", "http://")):
        raise WrongUseError(
            f"the API's URL must begin with https:// (or http:// for a local stack): {deployment.url}"
        )
    return deployment


def _of_profile(profile: Profile, context: CliContext) -> Deployment:
    license_ = profile.license or (read_license(profile.license_file) if profile.license_file else None)
    return Deployment(
        origin=f"the profile {profile.name}",
        url=profile.url,
        tenant_id=profile.tenant,
        community_id=profile.community,
        license=license_ or context.environment.get(LICENSE_VARIABLE),
        key_file=profile.private_key_file,
        stack=profile.stack,
        region=profile.region,
    )


def _of_stack_file(options: Namespace, context: CliContext) -> Deployment:
    path = find_stack_file(context.folder)
    content = read_stack_file(path)
    level = options.level or DEFAULT_LEVEL
    license_ = content.licenses.get(level)
    if options.level and not license_:
        raise MissingError(f"{path} has no license of level {level}")
    return Deployment(
        origin=str(path),
        url=content.text("apiUrl"),
        tenant_id=content.text("tenantId"),
        community_id=content.text("communityId"),
        license=license_,
        key_file=path.with_name("caller.json"),
        makes_key_file=True,
        stack=content.text("stackName"),
        region=content.text("region"),
        aws_endpoint=content.text("awsEndpoint"),
        names=content.names,
    )


def read_license(path: Path) -> str:
    """Read a license key from a file; raises MissingError."""
    try:
        key = path.read_text("utf-8").strip()
    except (OSError, UnicodeDecodeError):
        raise MissingError(f"{path}: the license cannot be read from there") from None
    if not key:
        raise MissingError(f"{path}: holds no license")
    return key
