// What a call uses where its request is silent: the default parameters of the deployment. Pure.
#pragma once

#include <optional>

#include "common/events/chat_request.hpp"
#include "common/events/model_event.hpp"
#include "common/price.hpp"

namespace tokenrail::providers {

/// The parameters of a call, from the request and, where it has none, from the deployment.
struct CallParameters {
  std::optional<double> temperature{};
  std::optional<double> top_p{};
  std::optional<std::int64_t> top_k{};
  /// A default is at most what the model can write.
  std::optional<std::int64_t> tokens_max{};
};
[[nodiscard]] CallParameters call_parameters(const events::ChatRequest& request, const events::ModelState& model,
                                             const events::DeploymentState& deployment);

/// The request as this deployment gets it; nothing: the deployment has no default parameters.
///
/// Parameters of one API (numCtx, keepAlive) become fields of providerConfig where the adapter has them; see
/// Provider::own_defaults(). A field of the deployment's providerConfig is left out where the request has that field,
/// also inside an object, or a parameter that the field would displace: the request always has precedence.
[[nodiscard]] std::optional<events::ChatRequest> with_defaults(const events::ChatRequest& request,
                                                               const events::ModelState& model,
                                                               const events::DeploymentState& deployment);

/// Whether the deployment's default providerConfig has `continue_final_message: true`: its server, which may be one
/// that is not known, takes vLLM's switch for going on from an assistant message.
[[nodiscard]] bool declares_continuing(const events::DeploymentState& deployment);

/// The service tier that a call asks for through providerConfig (`service_tier`), which decides what it costs. Nothing:
/// one that no price list knows. A tier that the provider chooses itself ("auto") counts as standard.
[[nodiscard]] std::optional<ServiceTier> service_tier(const events::ChatRequest& request,
                                                      const events::DeploymentState& deployment);

}  // namespace tokenrail::providers
