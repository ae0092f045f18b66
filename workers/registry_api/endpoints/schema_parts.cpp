#include "workers/registry_api/endpoints/schema_parts.hpp"

#include <utility>

#include "workers/registry_api/endpoints/schemas.hpp"

namespace tokenrail::registry_api::schemas {

Schema role() {
  return choice({"viewer", "member", "model_admin", "org_admin"});
}

Schema model_kind() {
  return choice({"generation", "embedding", "rerank", "classification", "ner", "image", "speech", "transcription",
                 "moderation", "video", "ocr", "other"});
}

Schema auth_type() {
  return choice({"none", "bearer", "header", "query", "basic"});
}

Schema model_name() {
  return described(text(1, 255), "Id, slug, or provider/name.");
}

Schema any_text() {
  return {.type = Schema::Type::text};
}

Property version() {
  return required("version", integer(0));
}

Schema reply_object(std::string name, std::vector<Property> properties, std::vector<std::string> text_names) {
  for (auto& text_name : text_names) properties.push_back(optional(std::move(text_name), nullable(any_text())));
  return open_object(std::move(name), std::move(properties));
}

Schema page_of(const Schema& item) {
  return object(item.name + "Page", {required("data", list_of(item, 1000)), required("next_page_token", any_text()),
                                     optional("total_size", integer(0))});
}

}  // namespace tokenrail::registry_api::schemas
