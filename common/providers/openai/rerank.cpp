// POST /rerank, which OpenAI lacks and vLLM, llama.cpp and Together have.
#include <utility>

#include <fmt/format.h>

#include "common/providers/openai/openai.hpp"
#include "common/providers/ranking.hpp"

namespace tokenrail::providers::openai {

namespace {

class OpenAiReranker final : public Reranker {
 public:
  [[nodiscard]] Result<http::Request> rerank(const Request& request, const Target& target) const override {
    if (request.documents.empty()) {
      return fail(ErrorKind::invalid_input, "there is no document to rank; give at least one");
    }
    http::Request out;
    out.method = "POST";
    out.url = api_url(target.base_url, "/v1", "/rerank");
    out.headers.push_back({.name = "Content-Type", .value = "application/json"});
    out.headers.push_back({.name = "Accept", .value = "application/json"});
    authorise(out, target.credential);
    out.body = rerank_body(request, target.upstream_name);
    return out;
  }

  [[nodiscard]] Result<Answer> parse(std::string_view body) const override {
    auto answer = read_ranking(body);
    if (answer) return std::move(*answer);
    return fail(ErrorKind::unavailable, fmt::format("the answer to /rerank {}", answer.error()));
  }
};

}  // namespace

const Reranker& reranker() {
  static const OpenAiReranker reranker;
  return reranker;
}

}  // namespace tokenrail::providers::openai
