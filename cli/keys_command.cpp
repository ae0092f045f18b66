// `tokenrail keys …`: makes and changes the key ring that seals credentials.
#include <chrono>
#include <utility>

#include <fmt/chrono.h>
#include <fmt/format.h>

#include "cli/context.hpp"
#include "cli/key_ring_file.hpp"
#include "cli/keys.hpp"
#include "cli/rewrap.hpp"
#include "cli/sealed_credentials.hpp"
#include "common/crypto/key_ring_settings.hpp"

namespace tokenrail::cli {
namespace {

std::string today() {
  return fmt::format("{:%Y-%m-%d}", std::chrono::floor<std::chrono::days>(std::chrono::system_clock::now()));
}

Result<std::string> ring_file(const Context& context) {
  if (context.values.is_set("keyring.file")) return context.values.text("keyring.file");
  if (context.values.is_set("keyring.keys")) {
    return fail(ErrorKind::invalid_input,
                "the key ring is the text of TOKENRAIL_KEYRING, which no command can change; put it into a file and "
                "name that with --keyring.file or TOKENRAIL_KEYRING_FILE");
  }
  return fail(ErrorKind::invalid_input,
              "no key ring is set; name its file with --keyring.file or TOKENRAIL_KEYRING_FILE, or make one with "
              "'tokenrail keys create FILE'");
}

/// Adds a key with the id that --id gives, or one made from today's date. Returns the id.
Result<std::string> add_key(const Context& context, crypto::KeyRing& ring) {
  auto id = context.call.value("id").value_or(new_key_id(ring.keys(), today()));
  if (auto added = ring.add(id); !added) return std::unexpected(std::move(added.error()));
  return id;
}

/// The id of the key on standard output; with --json the key as 'keys status' shows it.
void show_key(const Context& context, const crypto::KeyRing& ring, const std::string& id) {
  for (const auto& key : ring.keys())
    if (key.id == id)
      context.terminal.out_line(context.json() ? key_json({.id = id, .state = std::string(to_text(key.state))}) : id);
}

constexpr std::string_view only_tried = "nothing was changed: this was a dry run";

Keep kept(const Context& context) {
  return context.call.has("dry-run") ? Keep::no : Keep::yes;
}

/// Carries the change out, and writes `done` about the key, whose id `change` returns.
int change_ring(const Context& context, const std::function<Result<std::string>(crypto::KeyRing&)>& change,
                fmt::format_string<const std::string&> done) {
  const auto path = ring_file(context);
  if (!path) return context.failed(path.error());
  std::string id;
  const auto changed = change_key_ring_file(
      *path,
      [&](crypto::KeyRing& ring) -> Result<void> {
        auto about = change(ring);
        if (!about) return std::unexpected(std::move(about.error()));
        id = std::move(*about);
        return {};
      },
      kept(context));
  if (!changed) return context.failed(changed.error());
  show_key(context, *changed, id);
  context.terminal.note(kept(context) == Keep::no ? std::string(only_tried) : fmt::format(done, std::as_const(id)));
  return exit_done;
}

Result<crypto::KeyRing> configured_ring(const Context& context) {
  auto ring = crypto::load_key_ring(context.values);
  if (!ring) return std::unexpected(std::move(ring.error()));
  if (!*ring) return std::unexpected(ring_file(context).error());
  return std::move(**ring);
}

Result<std::optional<SealedCounts>> stored_counts(const Context& context) {
  auto credentials = SealedCredentials::connect(context);
  if (!credentials) return std::unexpected(std::move(credentials.error()));
  return credentials->counts();
}

/// Error `rejected`: stored credentials need the key.
Result<void> expect_unused(const Context& context, const std::string& id) {
  const auto counts = stored_counts(context);
  if (!counts) {
    return fail(counts.error().kind, fmt::format("the database was not asked whether credentials need key '{}', so it "
                                                 "was not disabled: {}; --force disables it all the same",
                                                 id, counts.error().detail));
  }
  const auto found = (*counts)->find(id);
  if (found == (*counts)->end()) return {};
  return fail(ErrorKind::rejected,
              fmt::format("{} stored credentials need key '{}', so it was not disabled; run 'tokenrail keys rewrap' "
                          "first, or give --force",
                          found->second, id));
}

}  // namespace

int run_keys_create(const Context& context) {
  const auto& path = context.call.arguments[0];
  const auto ring = crypto::KeyRing::create(context.call.value("id").value_or(today()));
  if (!ring) return context.failed(ring.error());
  if (const auto created = create_key_ring_file(path, *ring, kept(context)); !created)
    return context.failed(created.error());
  show_key(context, *ring, ring->primary_id());
  if (kept(context) == Keep::no) {
    context.terminal.note(only_tried);
    return exit_done;
  }
  context.terminal.note(
      fmt::format("'{}' is a new key ring. Keep a copy of it, apart from the backups of the database: without it the "
                  "stored credentials are lost. Name it to the programs with TOKENRAIL_KEYRING_FILE",
                  path));
  return exit_done;
}

int run_keys_add(const Context& context) {
  return change_ring(
      context, [&](crypto::KeyRing& ring) { return add_key(context, ring); },
      "key '{0}' opens only. Give the file to every program that has the key ring and restart it; then run 'tokenrail "
      "keys promote {0}'");
}

int run_keys_promote(const Context& context) {
  return change_ring(
      context,
      [&](crypto::KeyRing& ring) -> Result<std::string> {
        const auto& id = context.call.arguments[0];
        if (auto promoted = ring.promote(id); !promoted) return std::unexpected(std::move(promoted.error()));
        return id;
      },
      "key '{}' is the primary one. Give the file to every program that has the key ring and restart it");
}

int run_keys_rotate(const Context& context) {
  return change_ring(
      context,
      [&](crypto::KeyRing& ring) -> Result<std::string> {
        auto id = add_key(context, ring);
        if (!id) return id;
        if (auto promoted = ring.promote(*id); !promoted) return std::unexpected(std::move(promoted.error()));
        return id;
      },
      "key '{}' is new and the primary one; the one before it still opens. Give the file to every program that has the "
      "key ring and restart it");
}

int run_keys_disable(const Context& context) {
  const auto& id = context.call.arguments[0];
  return change_ring(
      context,
      [&](crypto::KeyRing& ring) -> Result<std::string> {
        if (auto disabled = ring.disable(id); !disabled) return std::unexpected(std::move(disabled.error()));
        if (context.call.has("force")) return id;
        if (auto unused = expect_unused(context, id); !unused) return std::unexpected(std::move(unused.error()));
        return id;
      },
      "key '{}' is disabled; a program that meets a credential sealed by it names the key. To undo it, set its state "
      "in "
      "the file to decrypt");
}

int run_keys_status(const Context& context) {
  const auto ring = configured_ring(context);
  if (!ring) return context.failed(ring.error());
  const auto counts = context.call.has("ring-only") ? Result<std::optional<SealedCounts>>() : stored_counts(context);
  const auto keys = key_statuses(ring->keys(), counts ? *counts : std::nullopt);
  if (context.json()) {
    for (const auto& key : keys) context.terminal.out_line(key_json(key));
  } else {
    context.terminal.out(key_table(keys));
  }
  if (!counts) {
    context.terminal.note("the stored credentials were not counted; --ring-only leaves them out");
    return context.failed(counts.error());
  }
  const auto unusable = unusable_keys(keys);
  for (const auto& key : unusable) {
    context.terminal.error(
        fmt::format("{} stored credentials need the key '{}', which is {}; {}", *key.credentials, key.id,
                    key.state == "missing" ? "not in the key ring" : "disabled",
                    key.state == "missing" ? "add it to the key ring from a copy" : "set its state to decrypt"));
  }
  return unusable.empty() ? exit_done : exit_bad;
}

int run_keys_rewrap(const Context& context) {
  const auto ring = configured_ring(context);
  if (!ring) return context.failed(ring.error());
  auto credentials = SealedCredentials::connect(context);
  if (!credentials) return context.failed(credentials.error());
  const bool dry_run = context.call.has("dry-run");
  const auto report =
      rewrap_all(*ring, *credentials,
                 {.dry_run = dry_run, .progress = [&](const RewrapReport& so_far) {
                    context.terminal.note(fmt::format("{} credentials {}, {} failed", so_far.rewrapped,
                                                      dry_run ? "would be rewrapped" : "rewrapped", so_far.failed));
                  }});
  if (!report) {
    context.terminal.note("what was rewrapped before stays so; run the command again to go on");
    return context.failed(report.error());
  }
  for (const auto& failure : report->failures) {
    context.terminal.error(fmt::format("credential {} of {}: {}", failure.id,
                                       failure.org_id.empty() ? "the platform" : failure.org_id,
                                       without_controls(failure.reason)));
  }
  context.terminal.out_line(context.json() ? rewrap_json(*report, ring->primary_id(), dry_run)
                                           : rewrap_text(*report, ring->primary_id(), dry_run));
  return report->failed == 0 && report->changed == 0 ? exit_done : exit_bad;
}

}  // namespace tokenrail::cli
