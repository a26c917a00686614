"""A change of one webhook, and the items that it touches: its own, the head, bitmaps and index entries."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Self

from webhooks.adapters.dynamodb.items import Item
from webhooks.adapters.dynamodb.keys import HEAD, community_key, entry_key, live_sk, tag_sk, webhook_key
from webhooks.adapters.dynamodb.lists import head_attributes
from webhooks.adapters.dynamodb.sequence_bitmaps import segment_of
from webhooks.adapters.dynamodb.webhook_items import index_entries, webhook_attributes
from webhooks.domain.errors import InvalidWebhookError
from webhooks.domain.scope import Scope
from webhooks.domain.webhook import Webhook, sequence_of
from webhooks.domain.webhook_size import size_problems
from webhooks.ports import IdempotencyRecord


@dataclass(frozen=True, slots=True)
class Change:
    """A webhook before and after; None where there is none. `token` marks the items of this change.

    `head_list`: the attributes that put HEAD into the list of communities; a HEAD of an earlier release gets
    them with its community's next change.
    `bitmaps`: the sort keys of the bitmaps in which the webhook's bit changes, and whether it is set then;
    `old_entries`, `new_entries`: the attributes of the index entries by event name, before and after.
    """

    before: Webhook | None
    after: Webhook | None
    record: IdempotencyRecord | None
    token: str
    sequence: int
    webhook_key: Item
    head_key: Item
    head_list: Item
    attributes: Item = field(repr=False)
    bitmaps: Mapping[str, bool]
    old_entries: Mapping[str, Item] = field(repr=False)
    new_entries: Mapping[str, Item] = field(repr=False)

    @classmethod
    def of(
        cls, before: Webhook | None, after: Webhook | None, *, record: IdempotencyRecord | None, token: str
    ) -> Self:
        """Return the change. Raises InvalidWebhookError where no transaction can hold it."""
        one = after or before
        sequence = sequence_of(one.id) if one else None
        if one is None or sequence is None:
            raise ValueError("a change needs a webhook whose id came from next_id")
        attributes = webhook_attributes(after) | {"change": {"S": token}} if after else {}
        old, new = index_entries(before), index_entries(after)
        segment = segment_of(sequence)
        old_tags, new_tags = (each.definition.tags if each else () for each in (before, after))
        bitmaps = {
            tag_sk(tag, segment): tag in new_tags
            for tag in dict.fromkeys((*new_tags, *old_tags))
            if (tag in new_tags) is not (tag in old_tags)
        }
        if before is None or after is None:
            bitmaps[live_sk(segment)] = after is not None
        change = cls(
            before,
            after,
            record,
            token,
            sequence,
            webhook_key=webhook_key(one.scope, sequence),
            head_key=community_key(one.scope, HEAD),
            head_list=head_attributes(one.scope),
            attributes=attributes,
            bitmaps=bitmaps,
            old_entries=old,
            new_entries=new,
        )
        change.check_size(writes=len(bitmaps) + len(change.entries))
        return change

    @property
    def webhook(self) -> Webhook:
        """The webhook, as it is last."""
        one = self.after or self.before
        if one is None:
            raise ValueError("a change has a webhook")
        return one

    @property
    def scope(self) -> Scope:
        """The community."""
        return self.webhook.scope

    @property
    def entries(self) -> Sequence[tuple[Item, Item | None]]:
        """The index entries that change where none is under a condition: None for one that goes."""
        old, new = self.old_entries, self.new_entries
        return [
            (entry_key(self.scope, name, self.sequence), new.get(name))
            for name in dict.fromkeys((*old, *new))
            if old.get(name) != new.get(name)
        ]

    def check_size(self, *, writes: int) -> None:
        """Raise InvalidWebhookError where no transaction can hold it. `writes`: of entries and bitmaps."""
        if self.after is None:
            return
        size = len(self.attributes["definition"]["S"])
        if problems := size_problems(self.after.definition, definition_bytes=size, writes=writes):
            raise InvalidWebhookError(problems)
