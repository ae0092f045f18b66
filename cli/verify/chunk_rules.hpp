// What one record of chat.chunks says, given all before it.
#pragma once

#include "cli/verify/key_rules.hpp"
#include "cli/verify/known.hpp"
#include "common/events/chunk.hpp"

namespace tokenrail::verify {

class ChunkRules : Rules {
 public:
  explicit ChunkRules(Known& known) : Rules(known), keys_(known) {}

  void on_chunk(const kafka::Record& record);

 private:
  void attempt_chunk(Subject& subject, const events::Chunk& chunk, const kafka::Record& record);
  void duplicate_chunk(Subject& subject, const events::Chunk& chunk, const kafka::Record& record);

  KeyRules keys_;
};

}  // namespace tokenrail::verify
