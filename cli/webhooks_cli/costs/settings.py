"""What decides the bill beside the load: what the template says, and what AWS does by itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """What the template says, and what AWS does by itself."""

    pack_bytes: int = 64 * 1024  # a message of deliveries has at most
    description_bytes: int = 1024  # of it for each delivery, beside its body
    memory_mb: int = 512
    queues: int = 3  # that Lambda polls: events, deliveries, slow deliveries
    pollers: int = 5  # for each; MaximumConcurrency keeps Lambda from going down to 2 when it is quiet
    poll_seconds: int = 20  # Lambda's long polling
    data_key_seconds: int = 3600  # KmsDataKeyReusePeriodSeconds
    table_key_seconds: int = 300  # DynamoDB asks for a table's key again, for each client
    secrets: int = 3  # the template's own
    keys_seconds: int = 30  # that a function keeps each of the two signing keys
    master_seconds: int = 300  # that it keeps the master secret
    log_days: int = 30  # LogRetentionDays
    fast_lane_ms: int = 1000  # FastLaneSeconds: slower endpoints' deliveries go by the slow queue
    # Wall time of an AWS call, in ms: assumed, as figure 9 takes 15 ms for the two of a batch.
    call_ms: float = 7.5
    vcpu_mb: int = 1769  # memory that comes with one whole vCPU


SETTINGS = Settings()
