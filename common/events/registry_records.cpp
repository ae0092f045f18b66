// Writing and reading the registry's records beside models.
#include "common/events/registry_records.hpp"

#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "common/events/json_document.hpp"
#include "common/events/json_writer.hpp"
#include "common/events/registry_key.hpp"

namespace tokenrail::events {
namespace {

constexpr std::array<std::pair<Sticky, std::string_view>, 3> sticky_names{
    {{Sticky::none, "none"}, {Sticky::conversation, "conversation"}, {Sticky::user, "user"}}};
constexpr std::array<std::pair<SubjectKind, std::string_view>, 4> subject_names{{{SubjectKind::org, "org"},
                                                                                 {SubjectKind::group, "group"},
                                                                                 {SubjectKind::user, "user"},
                                                                                 {SubjectKind::other, "other"}}};
constexpr std::array<std::pair<ObjectKind, std::string_view>, 5> object_names{{{ObjectKind::model, "model"},
                                                                               {ObjectKind::connection, "connection"},
                                                                               {ObjectKind::view, "view"},
                                                                               {ObjectKind::alias, "alias"},
                                                                               {ObjectKind::other, "other"}}};

template <class Names, class Value>
std::string_view name_in(const Names& names, Value value) {
  for (const auto& [known, name] : names) {
    if (known == value) {
      return name;
    }
  }
  return {};
}

template <class Value, std::size_t Count>
Value value_in(const std::array<std::pair<Value, std::string_view>, Count>& names, std::string_view wanted,
               Value otherwise) {
  for (const auto& [value, name] : names) {
    if (name == wanted) {
      return value;
    }
  }
  return otherwise;
}

// ---- writing ----------------------------------------------------------------------------------------------------

void field_if(JsonWriter& writer, std::string_view name, const std::string& value) {
  if (!value.empty()) {
    writer.field(name, value);
  }
}

template <class Record>
void begin(JsonWriter& writer, std::string_view type, const Record& record) {
  writer.begin_object();
  writer.field("type", type);
  writer.field("key", record_key(record));
  writer.field("version", record.version);
}

template <class Record>
void write_scope(JsonWriter& writer, const Record& record) {
  field_if(writer, "orgId", record.org_id);
  field_if(writer, "ownerUserId", record.owner_user_id);
}

template <class Record>
void end(JsonWriter& writer, const Record& record) {
  writer.field("cause", record.cause);
  writer.field("actor", record.actor);
  writer.end_object();
}

// ---- reading ----------------------------------------------------------------------------------------------------

std::unexpected<Error> lacks(std::string_view what, std::string_view field) {
  return fail(ErrorKind::invalid_input, fmt::format("the {} record has no usable {}", what, field));
}

struct RecordReader {
  ObjectReader fields;
  std::int64_t version = 0;
};

/// Reads what all records begin with. The type must be the expected one: a record that limits access is never guessed.
/// `document` outlives what is returned.
Result<RecordReader> read_record(const JsonDocument& document, std::string_view type) {
  const auto reader = read_object(document, type);
  if (!reader) {
    return std::unexpected(reader.error());
  }
  if (reader->text("type") != type) {
    return lacks(type, "type");
  }
  const auto version = reader->integer_if("version");
  if (!version) {
    return lacks(type, "version");
  }
  return RecordReader{.fields = *reader, .version = *version};
}

template <class Record>
void read_origin(const ObjectReader& reader, Record& record) {
  record.cause = reader.text("cause");
  record.actor = reader.text("actor");
}

template <class Read>
void for_each_object(const ObjectReader& record, std::string_view name, const Read& read) {
  const auto element = record.find(name);
  if (!element || !element->is_array()) {
    return;
  }
  for (const auto entry : simdjson::dom::array(element->get_array().value_unsafe())) {
    read(ObjectReader(entry));
  }
}

std::optional<ModelName> model_name_of(const ObjectReader& record) {
  ModelName name{.provider = record.text("provider"), .name = record.text("modelName")};
  if (name.provider.empty() || name.name.empty()) {
    return std::nullopt;
  }
  return name;
}

}  // namespace

std::string_view name_of(Sticky sticky) {
  return name_in(sticky_names, sticky);
}
std::string_view name_of(SubjectKind kind) {
  return name_in(subject_names, kind);
}
std::string_view name_of(ObjectKind kind) {
  return name_in(object_names, kind);
}

// ---- keys -------------------------------------------------------------------------------------------------------

std::string record_key(const RegistryDefault& record) {
  std::string key(default_key_prefix);
  for (const auto* part : {&record.org_id, &record.owner_user_id, &record.kind, &record.provider}) {
    append_key_part_or_none(key, *part);
    key += '/';
  }
  append_key_part_or_none(key, record.purpose);
  return key;
}

namespace {

template <class Record>
std::string scoped_key(std::string_view prefix, const Record& record, std::string_view name) {
  std::string key(prefix);
  for (const auto* part : {&record.org_id, &record.owner_user_id}) {
    append_key_part_or_none(key, *part);
    key += '/';
  }
  append_key_part(key, name);
  return key;
}

}  // namespace

std::string record_key(const RegistryAlias& record) {
  return scoped_key(alias_key_prefix, record, record.alias);
}

std::string record_key(const RegistryView& record) {
  return scoped_key(view_key_prefix, record, record.name);
}

std::string record_key(const RegistryGrants& record) {
  std::string key(grants_key_prefix);
  append_key_part(key, record.org_id);
  return key;
}

std::string record_key(const RegistryOrganization& record) {
  std::string key(organization_key_prefix);
  append_key_part(key, record.org_id);
  return key;
}

// ---- records ----------------------------------------------------------------------------------------------------

std::string to_json(const RegistryDefault& record) {
  std::string out;
  JsonWriter writer(out);
  begin(writer, registry_default_type, record);
  write_scope(writer, record);
  writer.field("kind", record.kind);
  field_if(writer, "provider", record.provider);
  field_if(writer, "purpose", record.purpose);
  writer.begin_object("model");
  writer.field("modelId", record.model_id);
  writer.field("provider", record.model.provider);
  writer.field("modelName", record.model.name);
  writer.end_object();
  end(writer, record);
  return out;
}

Result<RegistryDefault> parse_registry_default(std::string_view value) {
  const JsonDocument document(value);
  const auto read = read_record(document, registry_default_type);
  if (!read) {
    return std::unexpected(read.error());
  }
  const auto& reader = read->fields;
  RegistryDefault record{.version = read->version,
                         .org_id = reader.text("orgId"),
                         .owner_user_id = reader.text("ownerUserId"),
                         .kind = reader.text("kind"),
                         .provider = reader.text("provider"),
                         .purpose = reader.text("purpose")};
  read_origin(reader, record);
  if (record.kind.empty()) {
    return lacks(registry_default_type, "kind");
  }
  const auto element = reader.find("model");
  const auto model = element ? ObjectReader(*element) : ObjectReader();
  auto name = model_name_of(model);
  if (!name) {
    return lacks(registry_default_type, "model");
  }
  record.model_id = model.text("modelId");
  record.model = std::move(*name);
  return record;
}

std::string to_json(const RegistryAlias& record) {
  std::string out;
  JsonWriter writer(out);
  begin(writer, registry_alias_type, record);
  write_scope(writer, record);
  writer.field("alias", record.alias);
  writer.begin_array("targets");
  for (const auto& target : record.targets) {
    writer.begin_object();
    writer.field("modelId", target.model_id);
    writer.field("provider", target.model.provider);
    writer.field("modelName", target.model.name);
    writer.field("weight", target.weight);
    writer.end_object();
  }
  writer.end_array();
  writer.field("sticky", name_of(record.sticky));
  field_if(writer, "description", record.description);
  end(writer, record);
  return out;
}

Result<RegistryAlias> parse_registry_alias(std::string_view value) {
  const JsonDocument document(value);
  const auto read = read_record(document, registry_alias_type);
  if (!read) {
    return std::unexpected(read.error());
  }
  const auto& reader = read->fields;
  RegistryAlias record{.version = read->version,
                       .org_id = reader.text("orgId"),
                       .owner_user_id = reader.text("ownerUserId"),
                       .alias = reader.text("alias"),
                       .sticky = value_in(sticky_names, reader.text("sticky"), Sticky::none),
                       .description = reader.text("description")};
  read_origin(reader, record);
  if (record.alias.empty()) {
    return lacks(registry_alias_type, "alias");
  }
  for_each_object(reader, "targets", [&](const ObjectReader& entry) {
    if (auto name = model_name_of(entry)) {
      record.targets.push_back({.model_id = entry.text("modelId"),
                                .model = std::move(*name),
                                .weight = std::max<std::int64_t>(entry.integer("weight", 1), 0)});
    }
  });
  return record;
}

namespace {

void write_texts(JsonWriter& writer, std::string_view name, const std::vector<std::string>& texts) {
  if (texts.empty()) {
    return;
  }
  writer.begin_array(name);
  for (const auto& text : texts) {
    writer.element(text);
  }
  writer.end_array();
}

void write_filter(JsonWriter& writer, const ViewFilter& filter) {
  writer.begin_object("filter");
  field_if(writer, "kind", filter.kind);
  field_if(writer, "provider", filter.provider);
  field_if(writer, "status", filter.status);
  write_texts(writer, "capabilities", filter.capabilities);
  write_texts(writer, "tags", filter.tags);
  field_if(writer, "scope", filter.scope);
  field_if(writer, "q", filter.search);
  if (filter.free) {
    writer.field("free", *filter.free);
  }
  if (filter.context_min) {
    writer.field("contextMin", *filter.context_min);
  }
  writer.end_object();
}

std::vector<std::string> texts_of(simdjson::dom::element element, bool& wrong) {
  std::vector<std::string> texts;
  simdjson::dom::array array;
  if (element.get(array) != simdjson::SUCCESS) {
    wrong = true;
    return texts;
  }
  for (const auto entry : array) {
    const auto text = string_of(entry);
    wrong = wrong || !text;
    texts.emplace_back(text.value_or(""));
  }
  return texts;
}

ViewFilter read_filter(simdjson::dom::object members) {
  ViewFilter filter;
  const auto take_text = [&](simdjson::dom::element value, std::string& into) {
    const auto text = string_of(value);
    filter.unknown = filter.unknown || !text;
    into = text.value_or("");
  };
  for (const auto [name, value] : members) {
    if (name == "kind") {
      take_text(value, filter.kind);
    } else if (name == "provider") {
      take_text(value, filter.provider);
    } else if (name == "status") {
      take_text(value, filter.status);
    } else if (name == "scope") {
      take_text(value, filter.scope);
    } else if (name == "q") {
      take_text(value, filter.search);
    } else if (name == "capabilities") {
      filter.capabilities = texts_of(value, filter.unknown);
    } else if (name == "tags") {
      filter.tags = texts_of(value, filter.unknown);
    } else if (name == "free") {
      bool free = false;
      filter.unknown = value.get(free) != simdjson::SUCCESS || filter.unknown;
      filter.free = free;
    } else if (name == "contextMin") {
      filter.context_min = integer_of(value);
      filter.unknown = filter.unknown || !filter.context_min;
    } else {
      filter.unknown = true;
    }
  }
  return filter;
}

}  // namespace

std::string to_json(const RegistryView& record) {
  std::string out;
  JsonWriter writer(out);
  begin(writer, registry_view_type, record);
  write_scope(writer, record);
  writer.field("name", record.name);
  write_filter(writer, record.filter);
  writer.begin_array("pins");
  for (const auto& id : record.pins) {
    writer.element(id);
  }
  writer.end_array();
  writer.field("forAuto", record.for_auto);
  end(writer, record);
  return out;
}

Result<RegistryView> parse_registry_view(std::string_view value) {
  const JsonDocument document(value);
  const auto read = read_record(document, registry_view_type);
  if (!read) {
    return std::unexpected(read.error());
  }
  const auto& reader = read->fields;
  RegistryView record{.version = read->version,
                      .org_id = reader.text("orgId"),
                      .owner_user_id = reader.text("ownerUserId"),
                      .name = reader.text("name"),
                      .for_auto = reader.flag("forAuto")};
  read_origin(reader, record);
  if (record.name.empty()) {
    return lacks(registry_view_type, "name");
  }
  const auto filter = reader.find("filter");
  if (!filter || !filter->is_object()) {
    return lacks(registry_view_type, "filter");
  }
  record.filter = read_filter(filter->get_object().value_unsafe());
  if (const auto pins = reader.find("pins")) {
    bool wrong = false;
    record.pins = texts_of(*pins, wrong);
    std::erase(record.pins, std::string());
  }
  return record;
}

std::string to_json(const RegistryGrants& record) {
  std::string out;
  JsonWriter writer(out);
  begin(writer, registry_grants_type, record);
  writer.field("orgId", record.org_id);
  writer.field("restricted", record.restricted);
  writer.begin_array("grants");
  for (const auto& grant : record.grants) {
    writer.begin_object();
    writer.field("subjectKind", name_of(grant.subject_kind));
    writer.field("subject", grant.subject);
    writer.begin_object("object");
    writer.field("kind", name_of(grant.object_kind));
    writer.field("id", grant.object);
    writer.end_object();
    writer.field("effect", grant.allow ? "allow" : "deny");
    writer.end_object();
  }
  writer.end_array();
  end(writer, record);
  return out;
}

Result<RegistryGrants> parse_registry_grants(std::string_view value) {
  const JsonDocument document(value);
  const auto read = read_record(document, registry_grants_type);
  if (!read) {
    return std::unexpected(read.error());
  }
  const auto& reader = read->fields;
  RegistryGrants record{
      .version = read->version, .org_id = reader.text("orgId"), .restricted = reader.flag("restricted")};
  read_origin(reader, record);
  if (record.org_id.empty()) {
    return lacks(registry_grants_type, "orgId");
  }
  for_each_object(reader, "grants", [&](const ObjectReader& entry) {
    const auto element = entry.find("object");
    const auto object = element ? ObjectReader(*element) : ObjectReader();
    Grant grant{.subject_kind = value_in(subject_names, entry.text("subjectKind"), SubjectKind::other),
                .subject = entry.text("subject"),
                .object_kind = value_in(object_names, object.text("kind"), ObjectKind::other),
                .object = object.text("id"),
                // An effect that this version does not know must not open anything.
                .allow = entry.text("effect") == "allow"};
    if (!grant.subject.empty() && !grant.object.empty()) {
      record.grants.push_back(std::move(grant));
    }
  });
  return record;
}

std::string to_json(const RegistryOrganization& record) {
  std::string out;
  JsonWriter writer(out);
  begin(writer, registry_organization_type, record);
  writer.field("orgId", record.org_id);
  writer.field("slug", record.slug);
  writer.field("mode", record.allow_list ? "allow_list" : "open");
  writer.field("strictDefault", record.strict_default);
  writer.field("deleted", record.deleted);
  end(writer, record);
  return out;
}

Result<RegistryOrganization> parse_registry_organization(std::string_view value) {
  const JsonDocument document(value);
  const auto read = read_record(document, registry_organization_type);
  if (!read) {
    return std::unexpected(read.error());
  }
  const auto& reader = read->fields;
  RegistryOrganization record{.version = read->version,
                              .org_id = reader.text("orgId"),
                              .slug = reader.text("slug"),
                              // A mode that this version does not know is read as the stricter one.
                              .allow_list = reader.text_if("mode").value_or("open") != "open",
                              .strict_default = reader.flag("strictDefault"),
                              .deleted = reader.flag("deleted")};
  read_origin(reader, record);
  if (record.org_id.empty()) {
    return lacks(registry_organization_type, "orgId");
  }
  return record;
}

}  // namespace tokenrail::events
