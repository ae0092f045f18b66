#include "common/providers/ollama/ollama.hpp"

#include "common/events/json_writer.hpp"
#include "common/providers/estimate.hpp"
#include "common/providers/ollama/chat_body.hpp"
#include "common/providers/ollama/classification.hpp"
#include "common/providers/ollama/decoder.hpp"

namespace tokenrail::providers::ollama {

namespace {

class Ollama final : public Provider, public ModelLister, public Embedder {
 public:
  [[nodiscard]] std::string_view adapter() const override { return "ollama"; }
  [[nodiscard]] std::string_view config_key(std::string_view /*provider*/) const override { return adapter(); }

  [[nodiscard]] Result<ChatCall> chat(const events::ChatRequest& request, const Target& target,
                                      const DecoderLimits& limits) const override {
    ChatCall call;
    auto body = chat_body(request, target.upstream_name, call.warnings);
    if (!body) return std::unexpected(std::move(body.error()));
    call.request.method = "POST";
    call.request.url = target.base_url + "/api/chat";
    call.request.headers.push_back({.name = "Content-Type", .value = "application/json"});
    call.request.headers.push_back(
        {.name = "Accept", .value = request.stream ? "application/x-ndjson" : "application/json"});
    authorise(call.request, target.credential);
    call.request.body = std::move(*body);
    call.decoder = make_decoder(request.stream, limits, !request.tools.empty(), prompt_bytes(request));
    return call;
  }

  [[nodiscard]] CallFailure classify(const Target& /*target*/, const http::ResponseHead& head,
                                     std::string_view body) const override {
    return classify_response(head, body);
  }

  [[nodiscard]] CallFailure classify(const Target& target, const http::End& end) const override {
    return classify_end(end, target);
  }

  [[nodiscard]] bool takes_prefill(const Target& /*target*/) const override { return true; }

  [[nodiscard]] std::string own_defaults(const events::CallDefaults& defaults) const override {
    if (!defaults.num_ctx && defaults.keep_alive.empty()) return {};
    std::string out;
    events::JsonWriter json(out);
    json.begin_object();
    if (!defaults.keep_alive.empty()) json.raw_field("keep_alive", defaults.keep_alive);
    if (defaults.num_ctx) {
      json.begin_object("options");
      json.field("num_ctx", *defaults.num_ctx);
      json.end_object();
    }
    json.end_object();
    return out;
  }

  [[nodiscard]] const ModelLister* lister() const override { return this; }
  [[nodiscard]] http::Request list(const Target& target, std::string_view /*page*/) const override {
    return list_models(target);
  }
  [[nodiscard]] Result<ModelPage> parse(const Target& /*target*/, std::string_view body) const override {
    return parse_model_list(body);
  }
  [[nodiscard]] std::optional<http::Request> ask_details(const Target& target, std::string_view model) const override {
    return show_model(target, model);
  }
  [[nodiscard]] Result<ModelDetails> parse_details(std::string_view body) const override {
    return parse_model_details(body);
  }
  [[nodiscard]] std::optional<http::Request> ask_version(const Target& target) const override {
    return ollama::ask_version(target);
  }
  [[nodiscard]] std::string parse_version(std::string_view body) const override { return ollama::parse_version(body); }
  [[nodiscard]] ModelFacts facts(const ListedModel& listed, const ModelDetails* details) const override {
    return model_facts(listed, details);
  }

  [[nodiscard]] const Embedder* embedder() const override { return this; }
  [[nodiscard]] Result<http::Request> embed(const Embedder::Request& request, const Target& target) const override {
    return embed_texts(request, target);
  }
  [[nodiscard]] Result<Embedder::Answer> parse(std::string_view body) const override { return parse_embeddings(body); }
};

}  // namespace

const Provider& provider() {
  static const Ollama ollama;
  return ollama;
}

}  // namespace tokenrail::providers::ollama
