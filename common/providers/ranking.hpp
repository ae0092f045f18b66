// Rerank as Cohere and servers of the OpenAI API have it: one request and one answer. Pure.
#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "common/providers/provider.hpp"

namespace tokenrail::providers {

[[nodiscard]] std::string rerank_body(const Reranker::Request& request, std::string_view model);

/// The scores of an answer, best first. The error is what is wrong with the body, as the end of a sentence about it.
[[nodiscard]] std::expected<Reranker::Answer, std::string_view> read_ranking(std::string_view body);

}  // namespace tokenrail::providers
