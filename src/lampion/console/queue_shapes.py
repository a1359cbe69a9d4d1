"""How queues, their entries and what failed in them are told to programs. Pure."""

from typing import Any

from lampion.event_queue.queues import DELIVERIES, EVENTS
from lampion.invoke.event_endings import decode_delivery
from lampion.invoke.event_entries import decode_event
from lampion.store.entries import Entry
from lampion.store.queue_contents import KeptEnding, SeenEntry

KIND_WORDS = {EVENTS: "events", DELIVERIES: "deliveries"}


def entry_members(entry: Entry) -> dict[str, Any]:
    """What is known of an entry beside its payload; of a delivery, who is told what."""
    told: dict[str, Any] = {"sequence": entry.sequence, "due_epoch_ms": entry.due_epoch_ms} | _meaning(entry)
    if entry.queue.kind == EVENTS:
        told["attempts"] = decode_event(entry).attempts
    return told


def seen_members(seen: SeenEntry) -> dict[str, Any]:
    return entry_members(seen.entry) | payload_members(seen.entry.payload, seen.payload_bytes)


def kept_members(kept: KeptEnding) -> dict[str, Any]:
    ending = kept.ending
    entry = Entry(ending.sequence, ending.queue, 0, ending.document or b"", ending.payload or b"")
    told = {"number": kept.number, "ended_epoch_ms": ending.ended_epoch_ms, "ending": ending.ending}
    return told | _meaning(entry) | payload_members(entry.payload, kept.payload_bytes)


def payload_members(payload: bytes, payload_bytes: int) -> dict[str, Any]:
    """`payload` is text, maybe only the start of it; a character that was cut is left out."""
    is_whole = len(payload) == payload_bytes
    text = payload.decode("utf-8", "replace" if is_whole else "ignore")
    return {"payload_bytes": payload_bytes, "payload": text, "payload_is_whole": is_whole}


def _meaning(entry: Entry) -> dict[str, Any]:
    if entry.queue.kind == EVENTS:
        event = decode_event(entry)
        return {
            "request_id": event.request_id,
            "qualifier": event.qualifier,
            "accepted_epoch_ms": event.accepted_epoch_ms,
        }
    delivery = decode_delivery(entry)
    return {
        "request_id": delivery.request_id,
        "function_arn": delivery.function_arn,
        "accepted_epoch_ms": delivery.ended_epoch_ms,
        "purpose": delivery.purpose,
    }
