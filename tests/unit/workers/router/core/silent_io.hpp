// A partition's clients that take everything and do nothing; tests of a part override what that part uses.
#pragma once

#include "workers/router/core/partition_io.hpp"

namespace tokenrail::router {

class SilentIo : public PartitionIo {
 public:
  kafka::Produced send(Output /*output*/, const std::optional<std::string>& /*key*/,
                       std::optional<std::string_view> /*value*/, const kafka::Headers* /*headers*/,
                       const Sent& /*sent*/) override {
    return kafka::Produced::accepted;
  }
  void commit(std::int32_t /*partition*/, std::uint64_t /*generation*/, std::uint32_t /*sequence*/,
              events::RequestOffset /*offset*/, const std::string& /*metadata*/) override {}
  void read(Log /*log*/, std::int32_t /*partition*/, std::int64_t /*from*/) override {}
  void stop_reading(Log /*log*/, std::int32_t /*partition*/) override {}
  void seek(std::int32_t /*partition*/, events::RequestOffset /*offset*/) override {}
  void ask(std::int32_t /*partition*/, std::uint64_t /*generation*/, std::uint32_t /*sequence*/, Log /*log*/,
           std::optional<Millis> /*at*/) override {}
  [[nodiscard]] bool usable() const override { return true; }
  [[nodiscard]] Millis unreported_age(Output /*output*/, std::int32_t /*partition*/) const override {
    return Millis(0);
  }
};

}  // namespace tokenrail::router
