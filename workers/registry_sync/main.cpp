// tokenrail-registry-sync: keeps the model registry in step with what the providers offer, and publishes it.
#include "common/crypto/key_ring_settings.hpp"
#include "common/providers/environment.hpp"
#include "common/worker/run.hpp"
#include "workers/registry_sync/settings.hpp"
#include "workers/registry_sync/worker.hpp"

int main(int argc, char** argv) {
  using namespace tokenrail;
  static const auto settings = config::joined(
      {registry_sync::registry_sync_settings(), providers::environment_settings(), crypto::key_ring_settings()});
  return worker::run<registry_sync::Worker>(
      {.name = "tokenrail-registry-sync",
       .purpose = "Keeps the model registry in step with what the providers offer, and publishes it.",
       .own_settings = settings},
      argc, argv);
}
