#include "tests/simulator/hub.hpp"

#include <fmt/chrono.h>
#include <fmt/format.h>
#include <simdjson.h>

#include "common/events/json_writer.hpp"
#include "tests/simulator/sha256.hpp"

namespace tokenrail::simulator {

namespace {

constexpr std::string_view json_type = "application/json; charset=utf-8";
constexpr std::string_view text_type = "text/plain";
constexpr std::string_view chat_path = "/api/chat";

namespace dom = simdjson::dom;

std::string error_json(std::string_view text) {
  std::string out = "{\"error\":";
  events::append_json_string(out, text);
  return out + "}";
}

/// The headers that a behaviour adds to an error status.
void add_headers(Reply& reply, const Behaviour& behaviour, bool has_delay) {
  const auto add = [&](std::string_view name, const std::string& value) {
    if (!value.empty()) reply.headers.emplace_back(name, value);
  };
  if (!has_delay) add("Retry-After", behaviour.retry_after);
  add("retry-after-ms", behaviour.retry_after_ms);
  add("x-should-retry", behaviour.should_retry);
  add("Location", behaviour.location);
}

/// `{key}` in a text becomes the key that the call brought.
std::string with_key(std::string text, std::string_view key) {
  constexpr std::string_view place = "{key}";
  constexpr std::string_view scheme = "Bearer ";
  if (key.starts_with(scheme)) key.remove_prefix(scheme.size());
  for (auto at = text.find(place); at != std::string::npos; at = text.find(place, at + key.size())) {
    text.replace(at, place.size(), key);
  }
  return text;
}

/// The faults that answer with an error status instead of an answer.
std::optional<Problem> problem_of(const Behaviour& behaviour) {
  switch (behaviour.fault) {
    case Fault::status:
      return Problem{.status = behaviour.fault_at,
                     .why = behaviour.fault_at == 401 ? Why::wrong_key : Why::status,
                     .retry_after = behaviour.retry_after};
    case Fault::context_length:
      return Problem{.status = behaviour.fault_at, .why = Why::context_length};
    case Fault::content_filter:
      return Problem{.status = behaviour.fault_at, .why = Why::content_filter};
    default:
      return std::nullopt;
  }
}

}  // namespace

Hub::Hub(HubOptions options)
    : options_(std::move(options)), script_(options_.script), journal_(options_.journal_entries_max) {}

std::int64_t Hub::now_ms() const {
  const auto now = std::chrono::system_clock::now().time_since_epoch();
  return std::chrono::duration_cast<std::chrono::milliseconds>(now).count();
}

std::string_view Hub::created_at() {
  const auto now = std::chrono::system_clock::now();
  const auto micros = std::chrono::duration_cast<std::chrono::microseconds>(now.time_since_epoch()).count();
  // Once a millisecond is enough: a line's time is for people.
  if (micros / 1000 != created_at_ms_) {
    created_at_ms_ = micros / 1000;
    created_at_ = fmt::format("{:%Y-%m-%dT%H:%M:%S}.{:06}Z", fmt::gmtime(std::chrono::system_clock::to_time_t(now)),
                              micros % 1'000'000);
  }
  return created_at_;
}

Reply Hub::answer(Incoming incoming) {
  if (incoming.path.starts_with("/_sim/")) return control(incoming);
  if (!incoming.replay.empty()) {
    Behaviour behaviour = behaviour_of_path(incoming.path);
    behaviour.replay = incoming.replay;
    return replayed(incoming, behaviour, open_entry(incoming, nullptr, behaviour));
  }
  const bool reads = incoming.method == "GET" || incoming.method == "HEAD";
  if (const auto endpoint = find_endpoint(incoming.method, incoming.path, incoming.query, incoming.anthropic)) {
    const auto& dialect = *endpoint->dialect;
    if (endpoint->kind == Endpoint::Kind::chat) return chat(incoming, dialect);
    return fixed(incoming, 200, std::string(dialect.json_type()),
                 dialect.models({.models = script_.models, .query = incoming.query}), &dialect);
  }
  if (incoming.path == "/" && reads) return fixed(incoming, 200, "text/plain; charset=utf-8", "Ollama is running");
  if (incoming.path == "/api/version" && reads) {
    return fixed(incoming, 200, std::string(json_type), R"({"version":")" + script_.version + R"("})");
  }
  if (incoming.path == "/api/tags" && incoming.method == "HEAD") {
    return fixed(incoming, 200, std::string(json_type), tags_json(script_.models));
  }
  if (incoming.path == "/api/show" && incoming.method == "POST") {
    dom::parser parser;
    dom::element root;
    std::string_view name;
    if (parser.parse(incoming.body).get(root) != simdjson::SUCCESS ||
        (root["model"].get_string().get(name) != simdjson::SUCCESS &&
         root["name"].get_string().get(name) != simdjson::SUCCESS)) {
      return fixed(incoming, 400, std::string(json_type), error_json("model is required"));
    }
    const auto* const model = find_model(script_.models, name);
    if (model == nullptr) {
      return fixed(incoming, 404, std::string(json_type), error_json(fmt::format("model '{}' not found", name)));
    }
    return fixed(incoming, 200, std::string(json_type), show_json(*model));
  }
  return fixed(incoming, 404, std::string(text_type), "404 page not found");
}

Behaviour Hub::behaviour_of_path(std::string_view path) const {
  const auto found = script_.behaviours.find(path);
  return found == script_.behaviours.end() ? Behaviour{} : found->second;
}

std::uint64_t Hub::open_entry(const Incoming& incoming, const ChatRequest* chat, const Behaviour& behaviour) {
  JournalEntry entry;
  entry.id = behaviour.id.empty() ? incoming.request_id : behaviour.id;
  entry.method = incoming.method;
  entry.path = incoming.path;
  entry.traceparent = incoming.traceparent;
  entry.request_bytes = incoming.body.size();
  entry.request_sha256 = sha256_hex(incoming.body);
  if (incoming.body.size() <= 16 * 1024) entry.request = incoming.body;
  if (!incoming.authorization.empty()) entry.authorization_sha256 = sha256_hex(incoming.authorization);
  if (chat != nullptr) {
    entry.model = chat->call.model;
    entry.last_user_message = chat->directive_message.substr(0, 4096);
    entry.messages = chat->messages;
    entry.stream = chat->call.stream;
  }
  entry.started_ms = now_ms();
  return journal_.open(std::move(entry));
}

Reply Hub::fixed(const Incoming& incoming, int status, std::string content_type, std::string body,
                 const Dialect* dialect) {
  if (dialect == nullptr) dialect = &ollama_dialect();
  Reply reply;
  reply.behaviour = behaviour_of_path(incoming.path);
  reply.journal = open_entry(incoming, nullptr, reply.behaviour);
  if (!reply.behaviour.replay.empty()) return replayed(incoming, reply.behaviour, reply.journal);
  reply.status = status;
  reply.content_type = std::move(content_type);
  reply.head_only = incoming.method == "HEAD";
  if (reply.behaviour.fault == Fault::status) {
    reply.status = reply.behaviour.fault_at;
    const auto refusal = dialect->refusal(*problem_of(reply.behaviour));
    body = reply.behaviour.body.empty() ? refusal.body : with_key(reply.behaviour.body, incoming.authorization);
    add_headers(reply, reply.behaviour, refusal.has_delay);
  }
  if (!reply.behaviour.content_type.empty()) reply.content_type = reply.behaviour.content_type;
  reply.source = with_byte_faults(make_body_source(std::move(body), false, reply.behaviour), reply.behaviour);
  return reply;
}

Result<Behaviour> Hub::behaviour_for(const Incoming& incoming, ChatRequest& chat) {
  auto behaviour = behaviour_of_path(script_.behaviours.contains(incoming.path) ? incoming.path : chat_path);
  for (const auto& rule : script_.rules) {
    if (!rule.model.empty() && rule.model != chat.call.model) continue;
    if (!rule.path.empty() && incoming.path.find(rule.path) == std::string::npos) continue;
    if (!rule.contains.empty() && chat.directive_message.find(rule.contains) == std::string::npos) continue;
    if (const auto set = behaviour.set_all(rule.behaviour); !set) return std::unexpected(set.error());
    break;
  }
  auto message = take_directive(chat.directive_message, behaviour);
  if (!message) return std::unexpected(message.error());
  chat.call.message = std::move(*message);
  apply_times(chat, behaviour);
  return behaviour;
}

/// Takes the fault away where it does not happen this time.
void Hub::apply_times(const ChatRequest& chat, Behaviour& behaviour) {
  if (behaviour.times < 0 && behaviour.flap == 0) return;
  if (seen_.size() > 1'000'000) seen_.clear();
  // A message counts for each model by itself, because a fallback asks another one.
  const auto seen = seen_[chat.call.model + '\n' + chat.directive_message]++;
  const bool happens = behaviour.times >= 0 ? seen < behaviour.times : (seen / behaviour.flap) % 2 == 0;
  if (!happens) behaviour.fault = Fault::none;
}

Reply Hub::refused(const Incoming& incoming, const Dialect& dialect, const ChatRequest* chat, const Problem& problem,
                   const Behaviour& behaviour) {
  Reply reply;
  reply.status = problem.status;
  reply.content_type = behaviour.content_type.empty() ? dialect.json_type() : behaviour.content_type;
  reply.behaviour = behaviour;
  reply.journal = open_entry(incoming, chat, behaviour);
  auto refusal = dialect.refusal(problem);
  add_headers(reply, behaviour, refusal.has_delay);
  if (!behaviour.body.empty()) refusal.body = with_key(behaviour.body, incoming.authorization);
  reply.source = make_body_source(std::move(refusal.body), false, behaviour);
  return reply;
}

Reply Hub::chat(const Incoming& incoming, const Dialect& dialect) {
  auto chat = dialect.read({.path = percent_decoded(incoming.path), .query = incoming.query, .body = incoming.body});
  const auto invalid = [&](const Error& error) {
    return refused(incoming, dialect, chat ? &*chat : nullptr,
                   {.status = 400, .why = Why::invalid, .text = error.detail}, {});
  };
  if (!chat) return invalid(chat.error());
  auto behaviour = behaviour_for(incoming, *chat);
  if (!behaviour) return invalid(behaviour.error());
  behaviour->error = with_key(std::move(behaviour->error), incoming.authorization);
  if (!behaviour->replay.empty()) return replayed(incoming, *behaviour, open_entry(incoming, &*chat, *behaviour));
  Behaviour plain;  // a refusal that is no fault
  plain.id = behaviour->id;
  const auto refuse = [&](const Problem& problem) { return refused(incoming, dialect, &*chat, problem, plain); };
  const auto* const model = find_model(script_.models, chat->call.model);
  if (model == nullptr) return refuse({.status = 404, .why = Why::unknown_model, .text = chat->call.model});
  if (auto text = dialect.lacks(*model, *chat); !text.empty()) {
    return refuse({.status = 400, .why = Why::invalid, .text = std::move(text)});
  }
  const bool unasked =
      behaviour->continues == Continues::asked && !chat->call.asks_to_continue && !chat->call.marks_prefix;
  if ((!behaviour->prefill || unasked) && chat->call.ends_with_assistant) {
    return refuse({.status = 400, .why = Why::prefill});
  }
  if (const auto problem = problem_of(*behaviour)) return refused(incoming, dialect, &*chat, *problem, *behaviour);
  Reply reply;
  reply.behaviour = *behaviour;
  reply.journal = open_entry(incoming, &*chat, *behaviour);
  // As the servers do it: an error before the first byte has a status of its own, also where a stream was asked for.
  if (!chat->call.stream && behaviour->fault == Fault::error) reply.status = 500;
  reply.chunked = chat->call.stream;
  reply.content_type = chat->call.stream ? dialect.stream_type() : dialect.json_type();
  if (!behaviour->content_type.empty()) reply.content_type = behaviour->content_type;
  chat->call.created_s = now_ms() / 1000;
  reply.source = with_byte_faults(
      make_chat_source(dialect, std::move(chat->call), *behaviour, [this] { return created_at(); }), *behaviour);
  return reply;
}

Reply Hub::replayed(const Incoming& incoming, const Behaviour& behaviour, std::uint64_t journal) {
  Reply reply;
  reply.behaviour = behaviour;
  reply.journal = journal;
  auto found = recordings_.find(behaviour.replay);
  if (found == recordings_.end()) {
    auto recording = load_recording(options_.transcripts, behaviour.replay);
    if (!recording) {
      reply.status = 400;
      reply.content_type = json_type;
      reply.source = make_body_source(error_json("simulator: " + recording.error().detail), false, {});
      return reply;
    }
    found = recordings_.emplace(behaviour.replay, std::move(*recording)).first;
  }
  const auto& recording = found->second;
  reply.status = recording.status;
  reply.content_type = recording.content_type;
  reply.headers = recording.headers;
  reply.chunked = recording.lines;
  reply.head_only = incoming.method == "HEAD";
  reply.source = make_body_source(recording.body, recording.lines, behaviour);
  return reply;
}

Reply Hub::control(const Incoming& incoming) {
  const auto reply_with = [](int status, std::string body) {
    Reply reply;
    reply.status = status;
    reply.content_type = json_type;
    reply.source = make_body_source(std::move(body), false, {});
    return reply;
  };
  const auto wrong = [&](const Error& error) { return reply_with(400, error_json(error.detail)); };
  const std::string_view what = std::string_view(incoming.path).substr(6);
  if (incoming.method == "GET") {
    if (what == "journal") {
      return reply_with(
          200, journal_.to_json(query_number(incoming.query, "since", 0),
                                query_number(incoming.query, "limit", 1'000'000), query_value(incoming.query, "path")));
    }
    if (what == "counts") {
      auto json = journal_.counts_to_json();
      json.pop_back();
      const auto& tls = *options_.tls;
      return reply_with(200, json + fmt::format(R"(,"tokensSent":{},"connections":{},"tls":{{"handshakes":{},)"
                                                R"("resumed":{}}}}})",
                                                tokens_sent_, connections_, tls.handshakes, tls.resumed));
    }
    if (what == "models") return reply_with(200, tags_json(script_.models));
  }
  if (incoming.method == "POST") {
    if (what == "models") {
      auto models = models_from_json(incoming.body);
      if (!models) return wrong(models.error());
      script_.models = std::move(*models);
      return reply_with(200, "{}");
    }
    if (what == "behaviour") {
      Behaviour behaviour;
      if (const auto set = behaviour.set_all(incoming.body); !set) return wrong(set.error());
      auto path = query_value(incoming.query, "path");
      script_.behaviours.insert_or_assign(path.empty() ? std::string(chat_path) : std::move(path),
                                          std::move(behaviour));
      return reply_with(200, "{}");
    }
    if (what == "script") {
      auto script = Script::from_json(incoming.body);
      if (!script) return wrong(script.error());
      script_ = std::move(*script);
      return reply_with(200, "{}");
    }
    if (what == "reset") {
      script_ = options_.script;
      journal_.clear();
      seen_.clear();
      tokens_sent_ = 0;
      *options_.tls = {};
      return reply_with(200, "{}");
    }
  }
  return reply_with(404, error_json("simulator: GET journal, counts, models; POST models, behaviour, script, reset"));
}

}  // namespace tokenrail::simulator
