#include "common/events/credential_event.hpp"

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/events/registry_key.hpp"

namespace tokenrail::events {

std::string credential_key(const SealedCredential& credential) {
  std::string key;
  append_key_part_or_none(key, credential.org_id);
  key += '/';
  append_key_part_or_none(key, credential.owner_user_id);
  key += '/';
  return key + credential.id;
}

std::string to_json(const SealedCredential& credential) {
  std::string value;
  JsonWriter json(value);
  json.begin_object();
  json.field("type", credential_upserted_type);
  json.field("key", credential_key(credential));
  json.field("version", credential.version);
  json.field("id", credential.id);
  if (!credential.org_id.empty()) json.field("orgId", credential.org_id);
  if (!credential.owner_user_id.empty()) json.field("ownerUserId", credential.owner_user_id);
  json.field("provider", credential.provider);
  json.field("secretVersion", credential.secret_version);
  json.field("keyId", credential.key_id);
  json.field("sealed", credential.sealed);
  if (credential.expires_ms) json.field("expiresAtMs", *credential.expires_ms);
  json.end_object();
  return value;
}

Result<SealedCredential> parse_sealed_credential(std::string_view value) {
  const JsonDocument document(value);
  const auto read = read_object(document, "the credential");
  if (!read) return std::unexpected(read.error());
  if (read->text("type") != credential_upserted_type)
    return fail(ErrorKind::invalid_input, "the record is not a credential");
  SealedCredential credential{.id = read->text("id"),
                              .org_id = read->text("orgId"),
                              .owner_user_id = read->text("ownerUserId"),
                              .provider = read->text("provider"),
                              .secret_version = read->integer("secretVersion"),
                              .version = read->integer("version"),
                              .key_id = read->text("keyId"),
                              .sealed = read->text("sealed"),
                              .expires_ms = read->integer_if("expiresAtMs")};
  if (credential.id.empty() || credential.key_id.empty() || credential.sealed.empty() || credential.secret_version < 1)
    return fail(ErrorKind::invalid_input, "the credential has no id, secretVersion, keyId or sealed text");
  return credential;
}

}  // namespace tokenrail::events
