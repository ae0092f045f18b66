#include "common/providers/ollama/classification.hpp"

#include "common/providers/classification.hpp"
#include "common/providers/failure_text.hpp"

namespace tokenrail::providers::ollama {

namespace {

using events::ErrorCode;

constexpr std::string_view title = "Ollama";

constexpr std::string_view cannot = "Choose a model that can do this, or leave it out of the request.";
constexpr std::string_view not_ollama =
    "Something answers there, but not Ollama's API: the base URL is that of the server, without /api or /v1.";

/// The first row that fits counts. Status 200 is an error line inside a stream.
constexpr FailureRule rules[] = {
    // What is wrong with the request itself comes before the wordings that it shares with the next rows.
    {200, 599, "image: unknown format", ErrorCode::invalid_request, "invalid_request", false, false,
     "Send the image as PNG or JPEG."},
    {400, 599, "unsupported image", ErrorCode::invalid_request, "invalid_request", false, false,
     "Send the image as PNG or JPEG."},
    {400, 599, "image format", ErrorCode::invalid_request, "invalid_request", false, false,
     "Send the image as PNG or JPEG."},
    {200, 599, "illegal base64", ErrorCode::invalid_request, "invalid_request", false, false,
     "Send images as plain base64 without line breaks."},
    // What the request asks for and this model or server cannot do, whatever its status: in Ollama's
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
    // Inside a stream only the text shows it.
    {200, 200, "unexpected endpoint", ErrorCode::invalid_model_config, "not_ollama", false, true, not_ollama},
    {200, 200, "unauthorized", ErrorCode::provider_auth, "auth", false, true, "Check the connection's credential."},
    {200, 200, "rate limit", ErrorCode::provider_rate_limited, "rate_limited", true, true, "Ask again later."},
    {200, 200, "usage limit", ErrorCode::provider_rate_limited, "rate_limited", true, true, "Ask again later."},
    {200, 200, "too many requests", ErrorCode::provider_rate_limited, "rate_limited", true, true, "Ask again later."},
    {200, 200, "", ErrorCode::provider_unavailable, "stream_error", true, true,
     "The answer broke off at the provider; ask again, and look into Ollama's own log if it stays."},
    // Redirects are not followed: a credential must not travel to a host that is not configured.
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
     "The proxy in front of the model cannot reach it; ask again later."},
    {503, 503, "", ErrorCode::provider_unavailable, "busy", true, true,
     "Ask again later; OLLAMA_MAX_QUEUE and OLLAMA_NUM_PARALLEL say how much the server takes."},
    {504, 504, "", ErrorCode::provider_timeout, "timeout", true, true, "Ask again."},
    {500, 599, "", ErrorCode::provider_unavailable, "server_error", true, true,
     "Look into Ollama's own log if it stays."},
};

constexpr EndAdvice local_advice = {
    .connect_failed =
        "Is Ollama running? Start it with `ollama serve`, or point the connection (the platform's own by "
        "OLLAMA_BASE_URL) to where it runs.",
    .example_url = "http://localhost:11434"};
constexpr EndAdvice hosted_advice = {.connect_failed = "Check that this machine reaches the internet.",
                                     .example_url = "https://ollama.com"};

}  // namespace

CallFailure classify_response(const http::ResponseHead& head, std::string_view body) {
  return providers::classify_response(rules, title, head, body);
}

CallFailure classify_stream_error(std::string_view line) {
  return providers::classify_stream_error(rules, title, line);
}

CallFailure classify_end(const http::End& end, const Target& target) {
  const bool hosted = contains_folded(target.base_url, "://ollama.com");
  return providers::classify_end(title, end, target, hosted ? hosted_advice : local_advice);
}

}  // namespace tokenrail::providers::ollama
