// tokenrail-router: reads chat requests, calls providers, publishes token chunks and the audit log.
#include "common/crypto/key_ring_settings.hpp"
#include "common/providers/environment.hpp"
#include "common/worker/run.hpp"
#include "workers/router/settings.hpp"
#include "workers/router/shell/worker.hpp"

int main(int argc, char** argv) {
  using namespace tokenrail;
  static const auto settings =
      config::joined({router::router_settings(), providers::environment_settings(), crypto::key_ring_settings()});
  return worker::run<router::Worker>({.name = "tokenrail-router",
                                      .purpose = "Answers the chat requests on Kafka by calling LLM providers.",
                                      .own_settings = settings},
                                     argc, argv);
}
