"""Schedules made of a seed: webhooks, events, changes, and the faults that happen meanwhile."""

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from random import Random

from tests.simulation.endpoints import BEHAVIOURS
from tests.simulation.faults import KILLS, Kind, NoFaults, Plan, RandomFaults
from tests.simulation.invariants import Invariants
from tests.simulation.simulation import Simulation
from tests.simulation.tenants import ONE, OTHER, Tenants
from webhooks.domain.webhook import AuthType, Credential

ERRORS = frozenset(Kind) - frozenset(KILLS)
# By mode: the kinds of faults, and whether SQS and producers repeat messages.
MODES: dict[str, tuple[frozenset[Kind], bool]] = {
    "clean": (frozenset(), False),
    "errors": (ERRORS, False),
    "kills": (frozenset(KILLS), False),
    "repeats": (frozenset(), True),
    "all": (frozenset(Kind), True),
}
HEALED_SHARE, OUTAGE_SECONDS = 0.9, 3600  # of the schedules: all endpoints respond in the end
# Of events: without one, and such that some share a window of marks.
TIMES: tuple[dict[str, int], ...] = (
    {},
    *({"occurredAt": 1_790_000_000_000 + ms} for ms in (1, 2, 700, 1500)),
)
NOT_EVENTS = (
    "no json",
    "{}",
    '{"eventName": "E_A", "tenantId": 7, "data": {}}',
    "7",
    '{"eventName": "E_A"}',
)


@dataclass
class Report:
    """The outcome of a schedule."""

    seed: int
    mode: str
    violations: list[str]
    trace: list[str] = field(repr=False)
    figures: dict[str, int]

    def __str__(self) -> str:
        return "\n".join((f"seed {self.seed} ({self.mode}):", *self.violations, "", *self.trace))


def run_schedule(
    seed: int, *, make: type[Simulation] = Simulation, checks: type[Invariants] = Invariants
) -> Report:
    """Run the schedule of a seed."""
    random = Random(seed)
    mode = random.choice(tuple(MODES))
    kinds, repeats = MODES[mode]
    share = random.choice((0.01, 0.03, 0.1, 0.3)) if kinds else 0
    faults: Plan = RandomFaults(Random(seed + 1), share, kinds) if kinds else NoFaults()
    simulation = make(
        random,
        faults=faults,
        repeats=random.choice((0.02, 0.2)) if repeats else 0,
        workers=random.choice((1, 3, 100)),
        switching=random.choice((0.02, 0.1, 0.5)),
    )

    def end_faults() -> None:
        # A recovery that meets a fault at each third call does not end within the hour that a run waits for.
        if isinstance(faults, RandomFaults) and (random.random() < 0.7 or faults.share > 0.1):
            faults.share = 0

    tenants = Tenants(simulation)

    def settle() -> None:
        end_faults()
        if random.random() < HEALED_SHARE:
            tenants.heal_after(random.uniform(0, OUTAGE_SECONDS))

    try:
        simulation.run(_script(tenants, random, repeats=repeats), settle=settle)
    finally:
        simulation.close()
    invariants = checks(simulation, is_clean=mode == "clean")
    violations = invariants.violations()
    figures = {f"fault {name}": count for name, count in simulation.history.faults.items()}
    figures |= {f"sent again: {why}": count for why, count in invariants.repeats.items()}
    figures |= {
        f"schedules {mode}": 1,
        "calls": len(simulation.history.calls),
        "events": len(simulation.history.publications),
        "invocations": len(simulation.history.invocations),
    }
    return Report(seed, mode, violations, simulation.trace, figures)


def _script(tenants: Tenants, random: Random, *, repeats: bool) -> list[Callable[[], object]]:
    webhooks = [_register(tenants, random) for _ in range(random.randint(2, 6))]
    steps: list[Callable[[], object]] = []
    published: list[Callable[[], object]] = []
    for number in range(random.randint(1, 14)):
        event = partial(
            tenants.publish,
            f"e{number}",
            random.choice((ONE, ONE, ONE, OTHER)),
            name=random.choice(("E_A", "E_A", "E_B")),
            kind=random.choice("ab"),
            **random.choice(TIMES),
        )
        published.append(event)
        steps.append(event)
    if repeats:
        steps += random.choices(published, k=random.randint(0, 4))
    if random.random() < 0.2:
        steps += [partial(tenants.publish_text, f"{random.choice(NOT_EVENTS)}") for _ in range(2)]
    changes = [_change(tenants, random, webhooks) for _ in range(random.choice((0, 0, 1, 2, 4)))]
    for change in changes:
        steps.insert(random.randint(0, len(steps)), change)
    if random.random() < 0.3:
        random.shuffle(steps)
    return steps


def _register(tenants: Tenants, random: Random) -> str:
    auth_type = random.choice((AuthType.NONE, AuthType.NONE, AuthType.BEARER, AuthType.OAUTH2))
    credential = {
        AuthType.BEARER: Credential(token=f"token-{random.randint(1, 9)}"),
        AuthType.OAUTH2: Credential(client_id="id", client_secret="secret"),
    }.get(auth_type)
    return tenants.register(
        random.choice((ONE, ONE, OTHER)),
        behaviour=random.choice(("ok", "ok", *BEHAVIOURS)),
        auth_type=auth_type,
        credential=credential,
        event_names=random.choice((("E_A",), ("E_A", "E_B"))),
        query=random.choice(((), ({"kind": "a"},), ({"kind": "a"}, {"kind": "b"}))),
        retry_count=random.randint(0, 2),
    )


def _change(tenants: Tenants, random: Random, webhooks: list[str]) -> Callable[[], object]:
    webhook_id = random.choice(webhooks)
    bearer = {"auth_type": AuthType.BEARER}
    return random.choice(
        (
            partial(tenants.patch, webhook_id, disabled=True),
            partial(tenants.patch, webhook_id, disabled=False),
            partial(tenants.patch, webhook_id, query=({"kind": "b"},)),
            partial(tenants.patch, webhook_id, event_names=("E_B",)),
            partial(
                tenants.patch,
                webhook_id,
                endpoint=bearer,
                credential=Credential(token=f"new-{random.random()}"),
            ),
            partial(tenants.patch, webhook_id, endpoint={"auth_type": AuthType.NONE}),
            partial(tenants.patch, webhook_id, endpoint={"url": "https://moved.example.com/hook"}),
            partial(tenants.delete, webhook_id),
            partial(tenants.corrupt, webhook_id),
            partial(tenants.corrupt_index, webhook_id),
            partial(tenants.lose_secret, webhook_id),
            partial(tenants.behave, webhook_id, random.choice(BEHAVIOURS)),
            partial(_register, tenants, random),
        )
    )
