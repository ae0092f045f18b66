#include "common/providers/ollama/ollama.hpp"

#include "common/providers/ollama/authorise.hpp"
#include "common/providers/ollama/chat_body.hpp"
#include "common/providers/ollama/classification.hpp"
#include "common/providers/ollama/decoder.hpp"

namespace tokenrail::providers::ollama {

namespace {

class Ollama final : public Provider {
 public:
  [[nodiscard]] std::string_view name() const override { return "ollama"; }

  [[nodiscard]] Result<ChatCall> chat(const events::ChatRequest& request, const Target& target) const override {
    ChatCall call;
    auto body = chat_body(request, target.upstream_name, call.warnings);
    if (!body) return std::unexpected(std::move(body.error()));
    call.request.method = "POST";
    call.request.url = target.base_url + "/api/chat";
    call.request.headers.push_back({.name = "Content-Type", .value = "application/json"});
    call.request.headers.push_back(
        {.name = "Accept", .value = request.stream ? "application/x-ndjson" : "application/json"});
    authorise(call.request, target);
    call.request.body = std::move(*body);
    return call;
  }

  [[nodiscard]] std::unique_ptr<AnswerDecoder> decoder(bool stream, const DecoderLimits& limits) const override {
    return make_decoder(stream, limits);
  }

  [[nodiscard]] Classified classify(const http::ResponseHead& head, std::string_view body) const override {
    return classify_response(head, body);
  }

  [[nodiscard]] Classified classify(const http::End& end, const Target& target) const override {
    return classify_end(end, target);
  }
};

}  // namespace

const Provider& provider() {
  static const Ollama ollama;
  return ollama;
}

}  // namespace tokenrail::providers::ollama
