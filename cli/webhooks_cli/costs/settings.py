"""The settings that decide the bill beside the load: the template's, and those of AWS itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Values of the template, and of AWS itself."""

    pack_bytes: int = 64 * 1024  # at most, of a message of deliveries
    description_bytes: int = 1024  # of it for each delivery, beside its body
    memory_mb: int = 512
    queues: int = 4  # polled by Lambda: events, deliveries, slow deliveries, recovery
    pollers: int = 5  # for each; MaximumConcurrency keeps Lambda from going down to 2 when it is quiet
    poll_seconds: int = 20  # Lambda's long polling
    data_key_seconds: int = 3600  # KmsDataKeyReusePeriodSeconds
    table_key_seconds: int = 300  # until DynamoDB requests a table's key again, for each client
    secrets: int = 3  # the template's own
    keys_seconds: int = 30  # in which a function keeps each of the two signing keys
    master_seconds: int = 300  # in which it keeps the master secret
    log_days: int = 30  # LogRetentionDays
    fast_lane_ms: int = 1000  # FastLaneSeconds: deliveries of slower endpoints take the slow lane
    # Wall time of an AWS call, in ms: an assumption; figure 9 takes 15 ms for the two calls of a batch.
    call_ms: float = 7.5
    vcpu_mb: int = 1769  # the memory of one whole vCPU


SETTINGS = Settings()
