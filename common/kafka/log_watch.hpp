// Asks the brokers whether logs are still those that were read (log_identity.hpp), many at once. On the event loop;
// what blocks runs in a thread of its own. One question at a time is on its way, others wait for it.
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include "common/kafka/log_identity.hpp"
#include "common/kafka/record.hpp"
#include "common/result.hpp"
#include "common/telemetry/metrics.hpp"

namespace tokenrail::kafka {

class LogWatch {
 public:
  struct Options {
    Properties properties{};
    std::vector<std::string> topics{};  ///< that it will be asked about
  };
  /// Errors: invalid_input for a property that librdkafka refuses.
  static Result<std::unique_ptr<LogWatch>> make(boost::asio::io_context& loop, const Options& options,
                                                telemetry::Metrics& metrics);
  virtual ~LogWatch() = default;

  using Done = std::function<void(Result<LogSurvey>)>;
  /// `done` is called on the loop, never from inside this call; not at all once this object is gone. Errors: no broker
  /// answers.
  virtual void look(std::vector<WitnessQuestion> questions, Done done) = 0;
};

}  // namespace tokenrail::kafka
