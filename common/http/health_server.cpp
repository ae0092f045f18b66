#include "common/http/health_server.hpp"

#include <utility>

#include "common/telemetry/loop_turns.hpp"

namespace tokenrail::http {
namespace {

class Health final : public Service {
 public:
  Health(const telemetry::Metrics& metrics, std::function<std::vector<telemetry::Condition>()> conditions)
      : metrics_(metrics), conditions_(std::move(conditions)) {}

  boost::asio::awaitable<Reply> handle(ServerRequest request) override {
    telemetry::loop_step("health checks and metrics");
    co_return answer(request);
  }

 private:
  [[nodiscard]] Reply answer(const ServerRequest& request) const {
    const bool known = request.path == "/livez" || request.path == "/readyz" || request.path == "/metrics";
    if (!known) return {.status = 404, .body = "Not found. There are /livez, /readyz and /metrics.\n"};
    if (request.method != "GET" && request.method != "HEAD") {
      return {.status = 405, .headers = {{.name = "Allow", .value = "GET, HEAD"}}, .body = "Only GET and HEAD.\n"};
    }
    if (request.path == "/livez") return {.body = "ok\n"};
    if (request.path == "/readyz") {
      auto ready = telemetry::ready_answer(conditions_());
      return {.status = ready.status,
              .headers = {{.name = "Content-Type", .value = "application/json"}},
              .body = std::move(ready.body)};
    }
    return {.headers = {{.name = "Content-Type", .value = "text/plain; version=0.0.4; charset=utf-8"}},
            .body = metrics_.text()};
  }

  const telemetry::Metrics& metrics_;
  std::function<std::vector<telemetry::Condition>()> conditions_;
};

}  // namespace

Result<std::unique_ptr<Server>> start_health_server(boost::asio::io_context& loop, const std::string& listen,
                                                    const telemetry::Metrics& metrics,
                                                    std::function<std::vector<telemetry::Condition>()> conditions) {
  // Probes and scrapers are few, and their requests are small: the defaults are for them.
  return Server::start(loop, listen, std::make_shared<Health>(metrics, std::move(conditions)), ServerLimits{});
}

}  // namespace tokenrail::http
