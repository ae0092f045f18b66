// tokenrail-registry-api: the model registry over HTTP.
#include "common/auth/settings.hpp"
#include "common/crypto/key_ring_settings.hpp"
#include "common/providers/environment.hpp"
#include "common/worker/run.hpp"
#include "workers/registry_api/settings.hpp"
#include "workers/registry_api/worker.hpp"

int main(int argc, char** argv) {
  using namespace tokenrail;
  static const auto settings = config::joined({registry_api::registry_api_settings(), auth::auth_settings(),
                                               crypto::key_ring_settings(), providers::environment_settings()});
  return worker::run<registry_api::Worker>(
      {.name = "tokenrail-registry-api", .purpose = "Serves the model registry over HTTP.", .own_settings = settings},
      argc, argv);
}
