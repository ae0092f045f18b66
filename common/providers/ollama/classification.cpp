#include "common/providers/ollama/classification.hpp"

#include <optional>

#include <fmt/format.h>

#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::ollama {

namespace {

using events::ErrorCode;

constexpr std::string_view cannot = "Choose a model that can do this, or leave it out of the request.";
constexpr std::string_view not_ollama =
    "Something answers there, but not Ollama's API: the base URL is that of the server, without /api or /v1.";

struct Rule {
  int status_first;
  int status_last;
  std::string_view needle;  ///< in lower case, of the text or of its code; empty: any
  ErrorCode code;
  std::string_view error_class;
  bool retry;
  bool try_next;
  std::string_view advice;  ///< "{model}" stands for the model that the text names
  std::optional<int> retries_max = std::nullopt;
  bool whole_text = false;  ///< the needle is all that is said
};

/// The first row that fits counts. Status 200 is an error line inside a stream.
constexpr Rule rules[] = {
    // What is wrong with the request itself comes before the wordings that it shares with the next rows.
    {200, 599, "image: unknown format", ErrorCode::invalid_request, "invalid_request", false, false,
     "Send the image as PNG or JPEG."},
    {400, 599, "unsupported image", ErrorCode::invalid_request, "invalid_request", false, false,
     "Send the image as PNG or JPEG."},
    {400, 599, "image format", ErrorCode::invalid_request, "invalid_request", false, false,
     "Send the image as PNG or JPEG."},
    {200, 599, "illegal base64", ErrorCode::invalid_request, "invalid_request", false, false,
     "Send images as plain base64 without line breaks."},
    // What the request asks for and this model or server cannot do, whatever status it was told with: in Ollama's
    // words,
    // then in those of servers that speak its API beside their own.
    {200, 599, "does not support", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {200, 599, "missing data required for image input", ErrorCode::capability_unsupported, "capability", false, true,
     cannot},
    {200, 599, "only supports one image", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {200, 599, "only supports a single image", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {200, 599, "not a chat model", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {200, 599, "not a multimodal model", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {200, 599, "at most 0 image", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {200, 599, "requires --enable-auto-tool-choice", ErrorCode::capability_unsupported, "capability", false, true,
     cannot},
    {200, 599, "requires --jinja", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    // These words are used of accounts (403) and of models that are not there (404) too.
    {200, 200, "not support", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 400, "not support", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {422, 422, "not support", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {500, 501, "not support", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {400, 400, "unsupported", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {422, 422, "unsupported", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {501, 501, "", ErrorCode::capability_unsupported, "capability", false, true, cannot},
    {200, 599, "context length", ErrorCode::context_too_long, "context_too_long", false, true,
     "Shorten the messages, or raise num_ctx in providerConfig.ollama.options."},
    {200, 599, "exceeds the available context", ErrorCode::context_too_long, "context_too_long", false, true,
     "Shorten the messages, or raise num_ctx in providerConfig.ollama.options."},
    // A server that is there but lacks the memory lacks it a second later too.
    {200, 599, "more system memory", ErrorCode::provider_unavailable, "out_of_memory", false, true,
     "Use a smaller model or give the server more memory."},
    // Inside a stream only the text tells.
    {200, 200, "unexpected endpoint", ErrorCode::invalid_model_config, "not_ollama", false, true, not_ollama},
    {200, 200, "unauthorized", ErrorCode::provider_auth, "auth", false, true, "Check the connection's credential."},
    {200, 200, "rate limit", ErrorCode::provider_rate_limited, "rate_limited", true, true, "Ask again later."},
    {200, 200, "usage limit", ErrorCode::provider_rate_limited, "rate_limited", true, true, "Ask again later."},
    {200, 200, "too many requests", ErrorCode::provider_rate_limited, "rate_limited", true, true, "Ask again later."},
    {200, 200, "", ErrorCode::provider_unavailable, "stream_error", true, true,
     "The answer broke off at the provider; ask again, and look into Ollama's own log if it stays."},
    // Redirects are not followed: a credential must not travel to a host that nobody configured.
    {300, 399, "", ErrorCode::invalid_model_config, "redirect", false, true,
     "Redirects are not followed: set the connection's base URL to where it leads."},
    {401, 401, "", ErrorCode::provider_auth, "auth", false, true, "Check the connection's credential."},
    {402, 402, "", ErrorCode::provider_auth, "payment", false, true, "Check the account's credit at the provider."},
    {403, 403, "", ErrorCode::provider_auth, "auth", false, true,
     "The credential lacks the right to do this, or the server has it switched off."},
    // No model is missing: the server knows no such path, in its own words.
    {404, 404, "page not found", ErrorCode::invalid_model_config, "not_ollama", false, true, not_ollama},
    {404, 404, "file not found", ErrorCode::invalid_model_config, "not_ollama", false, true, not_ollama},
    {404, 404, "invalid url", ErrorCode::invalid_model_config, "not_ollama", false, true, not_ollama},
    {404, 404, "not found", ErrorCode::invalid_model_config, "not_ollama", false, true, not_ollama, {}, true},
    {404, 404, "<html", ErrorCode::invalid_model_config, "not_ollama", false, true, not_ollama},
    {405, 405, "", ErrorCode::invalid_model_config, "not_ollama", false, true, not_ollama},
    {404, 404, "", ErrorCode::model_not_found, "not_found_model", false, true,
     "Pull it on that server with `ollama pull {model}`, or choose a model that it has."},
    {408, 408, "", ErrorCode::provider_timeout, "timeout", true, true, "Ask again."},
    {413, 413, "", ErrorCode::invalid_request, "too_large", false, false, "Send fewer or smaller messages and images."},
    {429, 429, "", ErrorCode::provider_rate_limited, "rate_limited", true, true, "Ask again later."},
    {499, 499, "", ErrorCode::provider_unavailable, "cancelled_there", true, true, "Ask again."},
    {400, 499, "", ErrorCode::invalid_request, "invalid_request", false, false, "Change the request as the text says."},
    {500, 500, "", ErrorCode::provider_unavailable, "server_error", true, true,
     "Look into Ollama's own log if it stays.", 1},
    {502, 502, "", ErrorCode::provider_unavailable, "unavailable", true, true,
     "What stands before the model does not reach it; ask again later."},
    {503, 503, "", ErrorCode::provider_unavailable, "busy", true, true,
     "Ask again later; OLLAMA_MAX_QUEUE and OLLAMA_NUM_PARALLEL say how much the server takes."},
    {504, 504, "", ErrorCode::provider_timeout, "timeout", true, true, "Ask again."},
    {500, 599, "", ErrorCode::provider_unavailable, "server_error", true, true,
     "Look into Ollama's own log if it stays."},
};

constexpr Rule unknown_status = {0,
                                 999,
                                 "",
                                 ErrorCode::provider_protocol,
                                 "unexpected_status",
                                 false,
                                 true,
                                 "Something other than Ollama may answer at the base URL.",
                                 {}};

const Rule& rule_of(int status, const ErrorBody& said) {
  for (const auto& rule : rules) {
    if (status < rule.status_first || status > rule.status_last) continue;
    if (rule.whole_text && said.text.size() != rule.needle.size()) continue;
    if (contains_folded(said.text, rule.needle) || contains_folded(said.code, rule.needle)) return rule;
  }
  return unknown_status;
}

/// The model in "model 'x' not found" or "model \"x\" not found, try pulling it first".
std::string_view model_in(std::string_view text) {
  const auto begin = text.find_first_of("'\"");
  if (begin == std::string_view::npos) return "";
  const auto end = text.find(text[begin], begin + 1);
  return end == std::string_view::npos ? "" : text.substr(begin + 1, end - begin - 1);
}

std::string advice_of(const Rule& rule, std::string_view text) {
  std::string advice(rule.advice);
  constexpr std::string_view place = "{model}";
  if (const auto at = advice.find(place); at != std::string::npos) {
    const auto model = model_in(text);
    advice.replace(at, place.size(), model.empty() ? "NAME" : quotable(model, 200));
  }
  return advice;
}

Classified made(const Rule& rule, std::string message) {
  Classified out;
  out.failure = events::Failure::of(rule.code, std::move(message));
  out.failure.provider = "ollama";
  out.retry = rule.retry;
  out.try_next = rule.try_next;
  out.error_class = rule.error_class;
  out.retries_max = rule.retries_max;
  return out;
}

}  // namespace

Classified classify_response(const http::ResponseHead& head, std::string_view body) {
  const auto said = read_error_body(body);
  const auto& rule = rule_of(head.status, said);
  const auto start = said.text.find_first_not_of(" \t\r\n");
  std::string quoted = "without a word";
  if (start != std::string::npos) {
    quoted = said.text[start] == '<' ? "with a web page" : "\"" + quotable(said.text) + "\"";
  }
  auto out = made(rule, fmt::format("Ollama answered {} {}. {}", head.status, quoted, advice_of(rule, said.text)));
  out.failure.status = head.status;
  out.retry_after = retry_after(head);
  return out;
}

Classified classify_stream_error(std::string_view line) {
  const auto said = read_error_body(line);
  const auto& rule = rule_of(200, said);
  auto out = made(
      rule, fmt::format("Ollama ended its answer with \"{}\". {}", quotable(said.text), advice_of(rule, said.text)));
  out.failure.status = 200;
  return out;
}

Classified classify_end(const http::End& end, const Target& target) {
  const auto url = without_credentials(target.base_url);
  const auto detail = quotable(end.detail, 300);
  const auto because = detail.empty() ? std::string() : " (" + detail + ")";
  const bool hosted = contains_folded(url, "://ollama.com");
  const auto of = [](ErrorCode code, std::string_view error_class, bool retry, bool try_next, std::string message) {
    return made(Rule{0, 0, "", code, error_class, retry, try_next, "", {}}, std::move(message));
  };
  switch (end.ending) {
    case http::Ending::connect_failed:
      return of(ErrorCode::provider_unavailable, "connect_failed", true, true,
                fmt::format("Nothing answers at {}{}. {}", url, because,
                            hosted ? "Check that this machine reaches the internet."
                                   : "Is Ollama running? Start it with `ollama serve`, or point the connection (the "
                                     "platform's own by OLLAMA_BASE_URL) to where it runs."));
    case http::Ending::connect_timeout:
      return of(ErrorCode::provider_timeout, "connect_timeout", true, true,
                fmt::format("No connection to Ollama at {} in time{}. Check the address and what lies between.", url,
                            because));
    case http::Ending::total_timeout:
      return of(ErrorCode::provider_timeout, "total_timeout", false, true,
                fmt::format("Ollama at {} did not finish in time{}. A model that is being loaded may take minutes; ask "
                            "again, or allow more time with timeoutMs.",
                            url, because));
    case http::Ending::too_large:
      return of(ErrorCode::response_too_large, "too_large", false, false,
                fmt::format("Ollama at {} sent more than is allowed{}. Set maxTokens.", url, because));
    case http::Ending::cancelled:
      return of(ErrorCode::cancelled, "cancelled", false, false, "The call was cancelled.");
    case http::Ending::invalid_request:
      return of(ErrorCode::invalid_model_config, "invalid_url", false, true,
                fmt::format("{} cannot be called{}. Set the connection's base URL to something like "
                            "http://localhost:11434.",
                            url, because));
    case http::Ending::complete:
    case http::Ending::broken:
      break;
  }
  return of(ErrorCode::provider_unavailable, "broken", true, true,
            fmt::format("The connection to Ollama at {} broke before the answer was whole{}. Ask again; if it stays, "
                        "look whether Ollama restarts.",
                        url, because));
}

}  // namespace tokenrail::providers::ollama
