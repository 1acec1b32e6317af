"""From active to archived to deleted: what every such step writes (agents-memories-sessions.md, 1.4)."""

from reconciler.emulator import clock
from reconciler.emulator.call import NO_CONTENT, Call, Reply
from reconciler.emulator.store import Record


def end(call: Call, record: Record, status: str) -> Reply:
    """Move a resource to `archived` or `deleted` and stamp it; answers 204."""
    moment = clock.now()
    body = {**record.body(), "status": status, f"{status}_at": moment, "updated_at": moment}
    call.store.save(record.with_body(body))
    return unchanged(record)


def unchanged(record: Record) -> Reply:
    """Answer 204 for a resource that is where it was to go already."""
    return Reply(NO_CONTENT, entity=record.id)
