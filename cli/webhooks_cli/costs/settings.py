"""The settings that decide the bill beside the load: the template's, and those of AWS itself."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Values of the template, and of AWS itself."""

    # Parameters of the template.
    batching_seconds: int = 0  # BatchingSeconds
    webhook_cache_seconds: int = 0  # WebhookCacheSeconds
    dispatcher_memory_mb: int = 512  # DispatcherMemory
    has_credentials_in_table: bool = False  # CredentialStore=Table
    has_own_key: bool = True  # EncryptionKey=Customer
    has_one_seed: bool = False  # SeedSecrets=One
    has_log_backups: bool = True  # LogBackups
    keys_seconds: int = 300  # KeyCacheSeconds: in which a function keeps each of the two signing keys
    has_maximum_concurrency: bool = True  # none of the concurrency parameters is 0
    log_days: int = 30  # LogRetentionDays
    fast_lane_ms: int = 1000  # FastLaneSeconds: deliveries of slower endpoints take the slow lane
    # The template's own values, and the functions'.
    pack_bytes: int = 64 * 1024  # at most, of a message of deliveries
    description_bytes: int = 1024  # of it for each delivery, beside its body
    memory_mb: int = 512  # of fan-out and of the API's functions
    queues: int = 4  # polled by Lambda: events, deliveries, slow deliveries, recovery
    limited_queues: int = 1  # of them, always with MaximumConcurrency: the slow deliveries
    batch_messages: int = 10  # in an invocation, at most
    data_key_seconds: int = 3600  # KmsDataKeyReusePeriodSeconds
    master_seconds: int = 300  # in which it keeps the master secret
    credential_seconds: int = 3600  # in which it keeps a credential
    # AWS's.
    pollers: int = 5  # for each queue; MaximumConcurrency keeps Lambda from going down when it is quiet
    quiet_pollers: int = 2
    poll_seconds: int = 20  # Lambda's long polling
    # From an invocation's end until its poller has the next messages at Lambda: an assumption.
    poll_ms: float = 25
    table_key_seconds: int = 300  # until DynamoDB requests a table's key again, for each client
    # Wall time of an AWS call, in ms: an assumption; figure 9 takes 15 ms for the two calls of a batch.
    call_ms: float = 7.5
    vcpu_mb: int = 1769  # the memory of one whole vCPU
    # INIT of a container, in ms (figure 7 and Lambda's share of a CPU), and the seconds in which Lambda
    # replaces it: assumptions.
    init_ms: int = 400
    container_seconds: int = 7200

    @property
    def secrets(self) -> int:
        """The template's own."""
        return 1 if self.has_one_seed else 3

    @property
    def is_accepted(self) -> bool:
        """Tell whether the template's rules accept these parameters together."""
        return self.has_own_key or not self.has_credentials_in_table


SETTINGS = Settings()
