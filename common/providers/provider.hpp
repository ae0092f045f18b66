// What a provider adapter is: pure functions from a chat request to HTTP bytes, and from HTTP bytes to what they mean.
// No I/O, no clock. One folder for each wire format; what differs little between providers of one format is a row of
// data (profile.hpp and the tables of the format's folder), not a class.
#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/events/chat_request.hpp"
#include "common/events/model_event.hpp"
#include "common/http/client.hpp"
#include "common/providers/answer.hpp"
#include "common/providers/target.hpp"
#include "common/result.hpp"

namespace tokenrail::providers {

/// One chat call: what to send, and how to read what comes back.
struct ChatCall {
  http::Request request{};
  /// What the request asks for and this provider has no field for, where that does not change the answer's meaning.
  std::vector<std::string> warnings{};
  std::unique_ptr<AnswerDecoder> decoder{};
};

/// Limit of an entry of a list, or of an answer about one model, that is kept as it came.
inline constexpr std::size_t raw_bytes_max = 64UL * 1024;

/// A model as the provider lists it; what could not be learnt is unset.
struct ListedModel {
  std::string name;  ///< exact bytes as upstream
  std::string digest{};
  std::string family{};
  std::string parameter_size{};
  std::string quantization{};
  std::int64_t size_bytes = 0;
  std::string modified_at{};
  std::vector<std::string> capabilities{};  ///< the provider's own words; empty: unknown
  std::optional<std::int64_t> context_length{};
  std::string display_name{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::vector<Price>> prices{};  ///< nothing: the list does not say; empty: it knows none
  std::string server_version{};  ///< of the server that lists it, where one is known; not part of the list
  std::string raw{};             ///< the entry, JSON as it came; empty: it is larger than raw_bytes_max
};

/// One page of a provider's list of models.
struct ModelPage {
  std::vector<ListedModel> models{};
  std::size_t skipped = 0;      ///< entries that cannot be read; the others are listed all the same
  std::string first_skipped{};  ///< which was the first, counted from 1, and why
  std::string next{};           ///< token of the next page; empty: this is the last
};

/// What a further question about one model yields. Unset: unknown.
struct ModelDetails {
  std::vector<std::string> capabilities{};  ///< the provider's own words
  bool capabilities_known = false;          ///< false: the server does not say
  std::optional<std::int64_t> context_length{};
  std::optional<std::int64_t> embedding_length{};
  std::string architecture{};
  std::optional<std::int64_t> parameter_count{};
};

/// A model in the registry's words.
struct ModelFacts {
  std::string kind = "generation";
  std::string family{};
  std::string display_name{};
  std::optional<std::int64_t> context_window{};
  std::optional<std::int64_t> output_tokens_max{};
  std::optional<std::int64_t> embedding_dimensions{};
  std::map<std::string, events::Support> capabilities{};  ///< left out: unknown
};

/// A provider that can say which models it has.
class ModelLister {
 public:
  virtual ~ModelLister() = default;
  /// `page`: ModelPage::next of the page before; empty: the first.
  [[nodiscard]] virtual http::Request list(const Target& target, std::string_view page) const = 0;
  [[nodiscard]] virtual Result<ModelPage> parse(const Target& target, std::string_view body) const = 0;

  /// The further question about one model. Nothing: the list is all that this provider says.
  [[nodiscard]] virtual std::optional<http::Request> ask_details(const Target& target, std::string_view model) const;
  [[nodiscard]] virtual Result<ModelDetails> parse_details(std::string_view body) const;

  /// The question for the version of the provider's software. Another version may report other details of a model.
  /// Nothing: this provider has none.
  [[nodiscard]] virtual std::optional<http::Request> ask_version(const Target& target) const;
  /// Empty: it could not be read.
  [[nodiscard]] virtual std::string parse_version(std::string_view body) const;

  /// `details` null: not known, or there are none. By default the words of the list are the registry's own, and what
  /// the list does not name is unknown; where it names nothing, the kind is read off the model's name.
  [[nodiscard]] virtual ModelFacts facts(const ListedModel& listed, const ModelDetails* details) const;
};

/// A provider that can turn texts into vectors.
class Embedder {
 public:
  virtual ~Embedder() = default;
  struct Request {
    std::vector<std::string> texts{};
    std::optional<std::int64_t> dimensions{};
  };
  struct Answer {
    std::vector<std::vector<float>> vectors{};
    std::optional<std::int64_t> input_tokens{};
  };
  [[nodiscard]] virtual Result<http::Request> embed(const Request& request, const Target& target) const = 0;
  [[nodiscard]] virtual Result<Answer> parse(std::string_view body) const = 0;
};

/// A provider that can order documents by how well they fit a query.
class Reranker {
 public:
  virtual ~Reranker() = default;
  struct Request {
    std::string query{};
    std::vector<std::string> documents{};
    std::optional<std::int64_t> top{};
  };
  struct Answer {
    std::vector<std::pair<std::int64_t, double>> scores{};  ///< index of the document and its score, best first
  };
  [[nodiscard]] virtual Result<http::Request> rerank(const Request& request, const Target& target) const = 0;
  [[nodiscard]] virtual Result<Answer> parse(std::string_view body) const = 0;
};

class Provider {
 public:
  virtual ~Provider() = default;
  /// The name of the wire format: "ollama", "openai", …; deployments name it as their adapter.
  [[nodiscard]] virtual std::string_view adapter() const = 0;

  /// Errors: invalid_input, with a message for the sender, for what this provider cannot express at all (an image by
  /// URL, say).
  [[nodiscard]] virtual Result<ChatCall> chat(const events::ChatRequest& request, const Target& target,
                                              const DecoderLimits& limits) const = 0;

  /// A response whose status is not 2xx; `body` may be cut.
  [[nodiscard]] virtual CallFailure classify(const Target& target, const http::ResponseHead& head,
                                             std::string_view body) const = 0;
  /// A transfer that ended without a whole response.
  [[nodiscard]] virtual CallFailure classify(const Target& target, const http::End& end) const = 0;

  /// Whether a conversation that ends with an assistant message is answered with what follows that message. Such a
  /// request goes only to a provider that does so, and an answer that broke off can be continued there.
  [[nodiscard]] virtual bool takes_prefill(const Target& /*target*/) const { return false; }

  /// The key of `providerConfig` that this adapter reads in requests to a provider of that name.
  [[nodiscard]] virtual std::string_view config_key(std::string_view provider) const { return provider; }
  /// Those of a deployment's default parameters that are fields of this adapter's own API, as an object of
  /// `providerConfig`. Empty: there are none.
  [[nodiscard]] virtual std::string own_defaults(const events::CallDefaults& /*defaults*/) const { return {}; }

  // Parts that not every provider has; null: it does not.
  [[nodiscard]] virtual const ModelLister* lister() const { return nullptr; }
  [[nodiscard]] virtual const Embedder* embedder() const { return nullptr; }
  [[nodiscard]] virtual const Reranker* reranker() const { return nullptr; }
};

/// The adapter of that name ("ollama"), or nothing. Lives as long as the process.
[[nodiscard]] const Provider* find_provider(std::string_view adapter);

/// The names that find_provider() knows.
[[nodiscard]] std::vector<std::string> adapter_names();

}  // namespace tokenrail::providers
