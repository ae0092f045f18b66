// Decides what is answered to a call: the models, the behaviour, the journal, and the control calls under /_sim/. No
// socket; the session moves the bytes.
#pragma once

#include <chrono>
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <utility>
#include <vector>

#include "common/result.hpp"
#include "tests/simulator/answer.hpp"
#include "tests/simulator/behaviour.hpp"
#include "tests/simulator/dialects/dialect.hpp"
#include "tests/simulator/journal.hpp"
#include "tests/simulator/models.hpp"
#include "tests/simulator/recording.hpp"
#include "tests/simulator/tls_counts.hpp"

namespace tokenrail::simulator {

struct Incoming {
  std::string method{};
  std::string path{};
  std::string query{};
  std::string body{};
  std::string request_id{};
  std::string traceparent{};
  std::string authorization{};  ///< or the key, where another header or the query has it
  std::string replay{};         ///< header X-Sim-Replay
  bool anthropic = false;       ///< with that API's version header
};

struct Reply {
  int status = 200;
  std::string content_type{};
  std::vector<std::pair<std::string, std::string>> headers{};
  std::unique_ptr<AnswerSource> source{};
  Behaviour behaviour{};
  bool chunked = false;  ///< else with a length, where the body is one piece and whole
  bool head_only = false;
  std::uint64_t journal = 0;  ///< 0: not kept
};

/// What the simulator is: models and behaviour, as a script file has them.
struct Script {
  std::vector<Model> models = default_models();
  std::string version = "0.12.0";                              ///< of Ollama
  std::map<std::string, Behaviour, std::less<>> behaviours{};  ///< by path
  struct Rule {
    std::string model{};      ///< empty: any
    std::string path{};       ///< of the call, or a part of it; empty: any
    std::string contains{};   ///< in the last user message; empty: any
    std::string behaviour{};  ///< JSON object, laid over the path's
  };
  std::vector<Rule> rules{};

  /// `{"models": […], "version": "0.12.0", "behaviour": {…}, "behaviours": {"/api/tags": {…}}, "rules": [{"model",
  /// "path", "contains", "behaviour"}]}`; what is left out is as by default.
  [[nodiscard]] static Result<Script> from_json(std::string_view json);
};

struct HubOptions {
  Script script{};
  std::filesystem::path transcripts{};  ///< empty: nothing can be replayed
  std::size_t journal_entries_max = 200'000;
  std::shared_ptr<TlsCounts> tls = std::make_shared<TlsCounts>();
};

class Hub {
 public:
  explicit Hub(HubOptions options);

  [[nodiscard]] Reply answer(Incoming incoming);

  // For the sessions.
  Journal& journal() { return journal_; }
  void count_tokens(std::uint64_t tokens) { tokens_sent_ += tokens; }
  void count_connection(int change) { connections_ += change; }
  [[nodiscard]] std::int64_t now_ms() const;

 private:
  [[nodiscard]] Reply control(const Incoming& incoming);
  [[nodiscard]] Reply chat(const Incoming& incoming, const Dialect& dialect);
  [[nodiscard]] Reply refused(const Incoming& incoming, const Dialect& dialect, const ChatRequest* chat,
                              const Problem& problem, const Behaviour& behaviour);
  [[nodiscard]] Reply replayed(const Incoming& incoming, const Behaviour& behaviour, std::uint64_t journal);
  [[nodiscard]] Reply fixed(const Incoming& incoming, int status, std::string content_type, std::string body,
                            const Dialect* dialect = nullptr);
  [[nodiscard]] Result<Behaviour> behaviour_for(const Incoming& incoming, ChatRequest& chat);
  [[nodiscard]] Behaviour behaviour_of_path(std::string_view path) const;
  void apply_times(const ChatRequest& chat, Behaviour& behaviour);
  [[nodiscard]] std::uint64_t open_entry(const Incoming& incoming, const ChatRequest* chat, const Behaviour& behaviour);
  [[nodiscard]] std::string_view created_at();

  const HubOptions options_;
  Script script_;
  Journal journal_;
  std::unordered_map<std::string, int> seen_{};  ///< how often a message came, for `times` and `flap`
  std::map<std::string, Recording, std::less<>> recordings_{};
  std::uint64_t tokens_sent_ = 0;
  std::int64_t connections_ = 0;
  std::string created_at_{};
  std::int64_t created_at_ms_ = -1;
};

}  // namespace tokenrail::simulator
