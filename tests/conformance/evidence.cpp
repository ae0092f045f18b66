#include "tests/conformance/evidence.hpp"

#include <algorithm>
#include <functional>

#include <fmt/format.h>

#include "common/providers/profile.hpp"
#include "tests/conformance/accepted_requests.hpp"
#include "tests/conformance/exchanges.hpp"
#include "tests/conformance/json_tree.hpp"
#include "tests/conformance/recorded_shapes.hpp"
#include "tests/conformance/speakers.hpp"
#include "tests/unit/common/providers/answer_recorder.hpp"

namespace tokenrail::conformance {

namespace {

using events::ChatRequest;
using events::ErrorCode;
using providers::test::AnswerRecorder;

struct Row {
  std::string_view provider;
  std::string_view model;
  std::string_view chat_path;  ///< how the path of a chat ends
};
constexpr std::string_view completions = "/chat/completions";
constexpr Row rows[] = {{"ollama", "qwen3", "/api/chat"},
                        {"openai", "gpt-4o", completions},
                        {"openai-responses", "gpt-5-mini", "/responses"},
                        {"azure", "gpt-4o", completions},
                        {"anthropic", "claude-haiku-4-5", "/messages"},
                        {"gemini", "gemini-2.5-flash", "enerateContent"},
                        {"cohere", "command-a-vision", "/chat"},
                        {"mistral", "mistral-small", completions},
                        {"groq", "openai/gpt-oss-120b", completions},
                        {"openrouter", "openai/gpt-4o", completions},
                        {"huggingface", "moonshotai/Kimi-K2", completions},
                        {"vllm", "qwen3", completions},
                        {"llamacpp", "qwen3", completions},
                        {"lmstudio", "qwen3", completions},
                        {"tgi", "llama3", completions},
                        {"ollama-openai", "qwen3", completions},
                        {"deepseek", "deepseek-chat", completions},
                        {"together", "openai/gpt-oss-120b", completions},
                        {"xai", "grok-3-mini", completions}};

const Row& row_of(std::string_view provider) {
  return *std::ranges::find(rows, provider, &Row::provider);
}

std::vector<std::string> cases_with(const std::string& folder, std::string_view part) {
  auto names = cases_of({folder});
  std::erase_if(names, [&](const std::string& name) { return !name.contains(part); });
  return names;
}

std::vector<std::string> cases_of_provider(const std::string& provider) {
  // Some are in the folder of the server that was asked.
  for (const auto* const name : {"deepseek", "together", "xai"}) {
    if (provider == name) return cases_with("compat-other", "/" + provider + "-");
  }
  auto names = cases_with(provider, "/");
  if (provider == "openai-responses") {
    for (const auto* const server : {"azure", "lmstudio"}) {
      const auto more = cases_with(server, "/responses-");
      names.insert(names.end(), more.begin(), more.end());
    }
  }
  return names;
}

class Collector {
 public:
  explicit Collector(const std::string& provider)
      : provider_(provider),
        row_(row_of(provider)),
        profile_(*providers::find_profile(provider)),
        adapter_(*providers::find_provider(profile_.adapter)) {
    target_ = {.provider = provider,
               .base_url = profile_.base_url.empty() ? "https://provider.example" : std::string(profile_.base_url),
               .upstream_name = std::string(row_.model)};
    if (adapter_.lister() != nullptr) list_path_ = path_of(adapter_.lister()->list(target_, "").url);
    for (const auto& probe : probes()) {
      for (const auto& change : probe.changes) add_shape(probe.feature, change);
    }
  }

  Evidence collect() {
    for (const auto& name : cases_of_provider(provider_)) {
      const auto recording = simulator::load_recording(transcripts_folder(), name);
      if (recording) read(name, *recording);
    }
    read_written();
    conclude_test();
    return std::move(evidence_);
  }

 private:
  static std::string path_of(std::string_view url) {
    const auto begin = url.find('/', url.find("://") + 3);
    return std::string(url.substr(begin, url.find('?') - begin));
  }

  // What the adapter adds to a request ---------------------------------------------------------------------------

  struct Probe {
    Feature feature;
    std::vector<std::function<void(ChatRequest&)>> changes;  ///< ways to ask for it
  };

  static std::vector<Probe> probes() {
    const auto part = [](const events::ContentPart& one) {
      return [one](ChatRequest& request) { request.messages[0].content.push_back(one); };
    };
    return {{Feature::vision,
             {part({.type = "image", .data = "iVBORw0KGgo=", .media_type = "image/png"}),
              part({.type = "image", .url = "https://h.example/a.png"})}},
            {Feature::files,
             {part({.type = "file", .data = "JVBERi0=", .media_type = "application/pdf", .filename = "a.pdf"}),
              part({.type = "file", .data = "JVBERi0=", .media_type = "application/pdf"}),
              part({.type = "file", .url = "https://h.example/a.pdf", .media_type = "application/pdf"})}},
            {Feature::json_schema, {[](ChatRequest& request) {
               request.response_format = {
                   {.kind = events::ResponseFormat::Kind::json_schema,
                    .schema = R"({"type":"object","properties":{"a":{"type":"string"}},"required":["a"],)"
                              R"("additionalProperties":false})"}};
             }}}};
  }

  static ChatRequest plain() {
    ChatRequest request;
    request.request_id = "r";
    request.org_id = "o";
    request.messages.push_back({.role = events::Role::user, .content = {{.type = "text", .text = "hi"}}});
    return request;
  }

  /// The fields that the adapter writes only for this feature. None where it refuses it, or leaves it out.
  void add_shape(Feature feature, const std::function<void(ChatRequest&)>& change) {
    auto request = plain();
    const auto without = adapter_.chat(request, target_, {});
    change(request);
    const auto with = adapter_.chat(request, target_, {});
    if (!without || !with || with->warnings.size() > without->warnings.size()) return;
    auto shape = paths_of(with->request.body);
    for (const auto& path : paths_of(without->request.body)) shape.erase(path);
    // Inside a schema everything is the caller's.
    std::erase_if(shape, [](const std::string& path) {
      return path.contains(".properties.") || path.contains(".required[") ||
             path.ends_with("additionalProperties:bool");
    });
    if (!shape.empty()) shapes_.emplace_back(feature, std::move(shape));
  }

  static bool has_pdf(std::string_view request) {
    return request.contains("application/pdf") || request.contains(".pdf\"");
  }

  static bool holds(const Paths& all, const Paths& some) { return std::ranges::includes(all, some); }

  // Recorded exchanges -------------------------------------------------------------------------------------------

  void show(Feature feature, const std::string& name) {
    auto& names = evidence_.recorded[feature];
    if (names.empty() || names.back() != name) names.push_back(name);
  }

  void read(const std::string& name, const Recording& recording) {
    if (recording.status >= 300) {
      const auto failure = adapter_.classify(target_, head_of(recording), recording.body);
      key_refused_ = key_refused_ || failure.failure.code == ErrorCode::provider_auth;
      return;
    }
    const bool embeds = recording.path.ends_with("/embeddings") || recording.path.ends_with("/embed") ||
                        recording.path.ends_with("mbedContents");
    const bool lists = recording.method == "GET" && recording.path == list_path_;
    if (lists) {
      const auto page = adapter_.lister()->parse(target_, recording.body);
      if (page && !page->models.empty()) note(Feature::list, name);
    } else if (embeds && adapter_.embedder() != nullptr) {
      const auto answer = adapter_.embedder()->parse(recording.body);
      if (answer && !answer->vectors.empty() && !answer->vectors[0].empty()) note(Feature::embeddings, name);
    } else if (recording.path.ends_with(row_.chat_path)) {
      read_chat(name, recording);
    }
  }

  void note(Feature feature, const std::string& name) {
    show(feature, name);
    ++evidence_.exchanges;
  }

  AnswerRecorder decoded(std::string_view body, bool stream) const {
    auto request = plain();
    request.stream = stream;
    AnswerRecorder answer;
    const auto call = adapter_.chat(request, target_, {});
    if (!call) return answer;
    call->decoder->feed(body, answer);
    call->decoder->end(answer);
    return answer;
  }

  void read_chat(const std::string& name, const Recording& recording) {
    const bool stream = recording.events || recording.lines || recording.path.ends_with(":streamGenerateContent");
    const auto answer = decoded(recording.body, stream);
    if (!answer.finish()) return;
    note(stream ? Feature::stream : Feature::whole, name);
    for (const auto feature : features_of(answer)) show(feature, name);
    const auto asked = paths_of(recording.request);
    for (const auto& [feature, shape] : shapes_) {
      if (!holds(asked, shape)) continue;
      // Some formats have one place for all media.
      if (feature == Feature::vision && !recording.request.contains("image")) continue;
      if (feature == Feature::files && !has_pdf(recording.request)) continue;
      if (feature == Feature::json_schema && !tree::canonical(answer.text())) continue;
      show(feature, name);
    }
  }

  static std::vector<Feature> features_of(const AnswerRecorder& answer) {
    std::vector<Feature> out;
    if (!answer.tool_calls().empty()) out.push_back(Feature::tools);
    if (answer.tool_calls().size() > 1) out.push_back(Feature::parallel_tools);
    if (!answer.reasoning().empty()) out.push_back(Feature::reasoning);
    if (answer.usage() && !answer.usage()->estimated) out.push_back(Feature::usage);
    if (answer.usage() && answer.usage()->cached_input_tokens) out.push_back(Feature::cached_tokens);
    return out;
  }

  // Exchanges that are written here ------------------------------------------------------------------------------

  /// The counts of cached tokens that the formats have, beside those of the prompt.
  static std::string with_cached_tokens(std::string body) {
    constexpr std::pair<std::string_view, std::string_view> counts[] = {
        {R"("prompt_tokens":40,)", R"("prompt_tokens_details":{"cached_tokens":8},)"},
        {R"("promptTokenCount":40,)", R"("cachedContentTokenCount":8,)"}};
    for (const auto& [prompt, cached] : counts) {
      if (const auto at = body.find(prompt); at != std::string::npos) body.insert(at + prompt.size(), cached);
    }
    return body;
  }

  void read_written() {
    const auto& speaker = *std::ranges::find(speakers(), provider_, &Speaker::provider);
    const Said said{.reasoning = {"Both."},
                    .calls = {{.name = "f", .pieces = {R"({"a":)", "1}"}}, {.name = "g", .pieces = {"{}"}}}};
    for (const bool stream : {true, false}) {
      const auto answer = decoded(with_cached_tokens(answer_body(speaker, said, stream)), stream);
      if (!answer.finish() || answer.tool_calls().size() != 2 || answer.tool_calls()[0].arguments != R"({"a":1})") {
        continue;
      }
      evidence_.written.insert(stream ? Feature::stream : Feature::whole);
      for (const auto feature : features_of(answer)) evidence_.written.insert(feature);
    }
    const auto taken = accepted_requests(speaker);
    for (const auto& [feature, shape] : shapes_) {
      if (holds(taken, shape)) evidence_.written.insert(feature);
    }
    read_written_lists();
  }

  void read_written_lists() {
    if (const auto* const lister = adapter_.lister(); lister != nullptr) {
      for (const auto* const body : {R"({"data":[{"id":"m"}]})", R"({"models":[{"name":"m"}]})"}) {
        const auto page = lister->parse(target_, body);
        if (page && page->models.size() == 1 && page->models[0].name == "m") evidence_.written.insert(Feature::list);
      }
    }
    if (const auto* const embedder = adapter_.embedder(); embedder != nullptr) {
      for (const auto* const body :
           {R"({"data":[{"index":0,"embedding":[0.5,1]}],"usage":{"prompt_tokens":1}})",
            R"({"embeddings":[{"values":[0.5,1]}]})", R"({"embeddings":{"float":[[0.5,1]]}})"}) {
        const auto answer = embedder->parse(body);
        if (answer && answer->vectors == std::vector<std::vector<float>>{{0.5F, 1.0F}}) {
          evidence_.written.insert(Feature::embeddings);
        }
      }
    }
  }

  /// A connection is tested by asking for its models: the list must be readable, and a refused key must show as that.
  void conclude_test() {
    if (profile_.key_needed && !key_refused_) return;
    if (provider_ == "openrouter") return;  // its list needs no key, so that a wrong one would pass
    if (const auto list = evidence_.recorded.find(Feature::list); list != evidence_.recorded.end()) {
      evidence_.recorded[Feature::test] = list->second;
    } else if (evidence_.written.contains(Feature::list)) {
      evidence_.written.insert(Feature::test);
    }
  }

  const std::string provider_;
  const Row& row_;
  const providers::Profile& profile_;
  const providers::Provider& adapter_;
  providers::Target target_{};
  std::string list_path_{};
  std::vector<std::pair<Feature, Paths>> shapes_{};
  Evidence evidence_{};
  bool key_refused_ = false;
};

}  // namespace

std::vector<std::string> providers_with_evidence() {
  std::vector<std::string> out;
  for (const auto& row : rows) out.emplace_back(row.provider);
  return out;
}

Evidence evidence_of(const std::string& provider) {
  return Collector(provider).collect();
}

}  // namespace tokenrail::conformance
