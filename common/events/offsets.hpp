// Offsets of the topics that a router works with. Each topic has a type of its own, because a protocol step often
// handles offsets of two or three topics side by side. A Kafka record has a plain offset: who knows its topic converts
// it.
#pragma once

#include "common/strong_number.hpp"

namespace tokenrail::events {

/// Of a record in chat.requests: the source offset of what is about that request.
using RequestOffset = StrongNumber<struct RequestOffsetTag>;
/// Of a record in llm.audit.
using AuditOffset = StrongNumber<struct AuditOffsetTag>;
/// Of a record in chat.chunks.
using ChunkOffset = StrongNumber<struct ChunkOffsetTag>;

}  // namespace tokenrail::events
