#include "tests/simulator/hub.hpp"

#include <charconv>

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

std::string query_value(std::string_view query, std::string_view name) {
  while (!query.empty()) {
    const auto end = query.find('&');
    const auto pair = query.substr(0, end);
    if (pair.starts_with(name) && pair.substr(name.size()).starts_with('=')) {
      std::string value(pair.substr(name.size() + 1));
      for (auto at = value.find("%2F"); at != std::string::npos; at = value.find("%2F")) value.replace(at, 3, "/");
      return value;
    }
    query = end == std::string_view::npos ? "" : query.substr(end + 1);
  }
  return "";
}

std::uint64_t query_number(std::string_view query, std::string_view name, std::uint64_t otherwise) {
  const auto text = query_value(query, name);
  std::uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  return error == std::errc{} && end == text.data() + text.size() ? value : otherwise;
}

/// The text of a message's content; the simulator's own clients send strings, Ollama takes nothing else.
std::string_view content_of(const dom::element& message) {
  std::string_view text;
  return message["content"].get_string().get(text) == simdjson::SUCCESS ? text : "";
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
  if (incoming.path == chat_path && incoming.method == "POST") return chat(incoming);
  if (incoming.path == "/" && reads) return fixed(incoming, 200, "text/plain; charset=utf-8", "Ollama is running");
  if (incoming.path == "/api/version" && reads) {
    return fixed(incoming, 200, std::string(json_type), R"({"version":"0.12.0"})");
  }
  if (incoming.path == "/api/tags" && reads) {
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

std::uint64_t Hub::open_entry(const Incoming& incoming, const Chat* chat, const Behaviour& behaviour) {
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

Reply Hub::fixed(const Incoming& incoming, int status, std::string content_type, std::string body) {
  Reply reply;
  reply.behaviour = behaviour_of_path(incoming.path);
  reply.journal = open_entry(incoming, nullptr, reply.behaviour);
  if (!reply.behaviour.replay.empty()) return replayed(incoming, reply.behaviour, reply.journal);
  reply.status = status;
  reply.content_type = std::move(content_type);
  reply.head_only = incoming.method == "HEAD";
  if (reply.behaviour.fault == Fault::status) {
    reply.status = reply.behaviour.fault_at;
    body = reply.behaviour.body.empty() ? error_json(fmt::format("simulated status {}", reply.status))
                                        : reply.behaviour.body;
    if (!reply.behaviour.retry_after.empty()) reply.headers.emplace_back("Retry-After", reply.behaviour.retry_after);
  }
  reply.source = make_body_source(std::move(body), false, reply.behaviour);
  return reply;
}

Result<Hub::Chat> Hub::read_chat(const std::string& body) const {
  dom::parser parser;
  dom::element root;
  dom::object object;
  if (parser.parse(body).get(root) != simdjson::SUCCESS || root.get_object().get(object) != simdjson::SUCCESS) {
    return fail(ErrorKind::invalid_input, body.empty() ? "missing request body" : "the request body is not valid JSON");
  }
  Chat chat;
  std::string_view text;
  if (object["model"].get_string().get(text) == simdjson::SUCCESS) chat.call.model = text;
  if (chat.call.model.empty()) return fail(ErrorKind::invalid_input, "model is required");
  bool flag = false;
  if (object["stream"].get_bool().get(flag) == simdjson::SUCCESS) chat.call.stream = flag;
  if (object["think"].get_bool().get(flag) == simdjson::SUCCESS) chat.call.think = flag ? 1 : 0;
  if (object["think"].get_string().get(text) == simdjson::SUCCESS) chat.call.think = 1;
  chat.wants_thinking = chat.call.think == 1;
  dom::array array;
  if (object["messages"].get_array().get(array) == simdjson::SUCCESS) {
    for (const auto message : array) {
      ++chat.messages;
      if (message["role"].get_string().get(text) == simdjson::SUCCESS && text == "user") {
        chat.directive_message = content_of(message);
      }
    }
  }
  chat.call.has_messages = chat.messages > 0;
  if (object["tools"].get_array().get(array) == simdjson::SUCCESS && array.size() > 0) {
    chat.offers_tools = true;
    if (array.at(0)["function"]["name"].get_string().get(text) == simdjson::SUCCESS) chat.call.first_tool = text;
  }
  std::int64_t tokens_max = -1;
  if (object["options"]["num_predict"].get_int64().get(tokens_max) == simdjson::SUCCESS)
    chat.call.tokens_max = tokens_max;
  chat.call.request_bytes = body.size();
  return chat;
}

Result<Behaviour> Hub::behaviour_for(Chat& chat) {
  auto behaviour = behaviour_of_path(chat_path);
  for (const auto& rule : script_.rules) {
    if (!rule.model.empty() && rule.model != chat.call.model) continue;
    if (!rule.contains.empty() && chat.directive_message.find(rule.contains) == std::string::npos) continue;
    if (const auto set = behaviour.set_all(rule.behaviour); !set) return std::unexpected(set.error());
    break;
  }
  auto message = take_directive(chat.directive_message, behaviour);
  if (!message) return std::unexpected(message.error());
  chat.call.message = std::move(*message);
  if (behaviour.times >= 0) {
    if (seen_.size() > 1'000'000) seen_.clear();
    auto& seen = seen_[chat.directive_message];
    if (seen >= behaviour.times) {
      behaviour.fault = Fault::none;
    } else {
      ++seen;
    }
  }
  return behaviour;
}

Reply Hub::chat(const Incoming& incoming) {
  const auto refuse = [&](int status, std::string_view text, const Chat* chat) {
    Reply reply;
    reply.status = status;
    reply.content_type = json_type;
    reply.journal = open_entry(incoming, chat, {});
    reply.source = make_body_source(error_json(text), false, {});
    return reply;
  };
  auto chat = read_chat(incoming.body);
  if (!chat) return refuse(400, chat.error().detail, nullptr);
  const auto behaviour = behaviour_for(*chat);
  if (!behaviour) return refuse(400, behaviour.error().detail, &*chat);
  if (behaviour->replay.empty()) {
    const auto* const model = find_model(script_.models, chat->call.model);
    if (model == nullptr) return refuse(404, fmt::format("model '{}' not found", chat->call.model), &*chat);
    if (chat->offers_tools && !model->can("tools")) {
      return refuse(400, fmt::format("registry.ollama.ai/library/{} does not support tools", chat->call.model), &*chat);
    }
    if (chat->wants_thinking && !model->can("thinking")) {
      return refuse(400, fmt::format("\"{}\" does not support thinking", chat->call.model), &*chat);
    }
  }
  Reply reply;
  reply.behaviour = *behaviour;
  reply.journal = open_entry(incoming, &*chat, *behaviour);
  if (!behaviour->replay.empty()) return replayed(incoming, *behaviour, reply.journal);
  if (behaviour->fault == Fault::status) {
    reply.status = behaviour->fault_at;
    reply.content_type = json_type;
    if (!behaviour->retry_after.empty()) reply.headers.emplace_back("Retry-After", behaviour->retry_after);
    reply.source = make_body_source(
        behaviour->body.empty() ? error_json(fmt::format("simulated status {}", reply.status)) : behaviour->body, false,
        *behaviour);
    return reply;
  }
  // As the server does it: an error before the first byte has a status of its own, also where a stream was asked for.
  if (!chat->call.stream && behaviour->fault == Fault::error) reply.status = 500;
  reply.chunked = chat->call.stream;
  reply.content_type = chat->call.stream ? "application/x-ndjson" : std::string(json_type);
  reply.source = make_chat_source(std::move(chat->call), *behaviour, [this] { return created_at(); });
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
      return reply_with(200, json + fmt::format(R"(,"tokensSent":{},"connections":{}}})", tokens_sent_, connections_));
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
      return reply_with(200, "{}");
    }
  }
  return reply_with(404, error_json("simulator: GET journal, counts, models; POST models, behaviour, script, reset"));
}

}  // namespace tokenrail::simulator
