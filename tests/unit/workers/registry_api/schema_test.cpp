#include "workers/registry_api/schema.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace tokenrail::registry_api {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

const Schema& model() {
  static const auto schema = object(
      "Model", {required("provider", text(1, 10)), optional("contextWindow", nullable(integer(1, 1000))),
                optional("kind", choice({"generation", "embedding"})), optional("tags", list_of(text(1, 5), 2)),
                optional("limits", object("Limits", {required("rpm", integer(0))})),
                optional("capabilities", map_of(choice({"supported", "unsupported"}), 3)),
                optional("metadata", any_object()), optional("weight", number(0, 1)), optional("enabled", boolean())});
  return schema;
}

std::vector<FieldError> errors_of(std::string_view text, const Schema& schema = model()) {
  const auto value = parse_json(text);
  EXPECT_TRUE(value) << text;
  return check(schema, *value);
}

TEST(Schema, TakesWhatFits) {
  EXPECT_THAT(errors_of(R"({"provider":"ollama","contextWindow":null,"kind":"embedding","tags":["a"],"limits":{"rpm":0},
                            "capabilities":{"tools":"supported"},"metadata":{"any":[{}]},"weight":0.5,"enabled":true})"),
              IsEmpty());
}

TEST(Schema, NamesEachWrongValueByPointer) {
  EXPECT_THAT(
      errors_of(R"({"contextWindow":0,"tags":["a","toolong"],"limits":{"rpm":"x"},"capabilities":{"a/b":"maybe"}})"),
      ElementsAre(FieldError{"/provider", "is required"}, FieldError{"/contextWindow", "must be at least 1"},
                  FieldError{"/tags/1", "must have at most 5 characters, not 7"},
                  FieldError{"/limits/rpm", "must be a whole number, not a string"},
                  FieldError{"/capabilities/a~1b", "must be one of supported, unsupported"}));
}

TEST(Schema, SuggestsTheNearestName) {
  EXPECT_THAT(errors_of(R"({"provider":"x","contextwindow":1})"),
              ElementsAre(FieldError{"/contextwindow", "is not known here; did you mean 'contextWindow'?"}));
  EXPECT_THAT(errors_of(R"({"provider":"x","kind":"embeding"})"),
              ElementsAre(FieldError{"/kind", "must be one of generation, embedding; did you mean 'embedding'?"}));
}

TEST(Schema, TakesNullOnlyWhereAllowed) {
  EXPECT_THAT(errors_of(R"({"provider":null})"), ElementsAre(FieldError{"/provider", "must be a string, not null"}));
}

TEST(Schema, CountsCharactersNotBytes) {
  EXPECT_THAT(errors_of(R"({"provider":"éééééééééé"})"), IsEmpty());
  EXPECT_THAT(errors_of(R"({"provider":"ééééééééééé"})"), SizeIs(1));
}

TEST(Schema, RefusesControlCharacters) {
  EXPECT_THAT(errors_of(R"({"provider":"a\u0000b"})"),
              ElementsAre(FieldError{"/provider", "must not hold control characters"}));
}

TEST(Schema, ChecksUuidsAndMoments) {
  const auto schema = object("Formats", {optional("id", uuid()), optional("at", date_time())});
  for (const auto* text : {R"({"id":"0198c0de-0000-7000-8000-00000000abCD","at":"2026-01-31T12:00:00Z"})",
                           R"({"at":"2026-01-31T12:00:00.123456+02:00"})"})
    EXPECT_THAT(errors_of(text, schema), IsEmpty()) << text;
  for (const auto* text :
       {R"({"id":"0198c0de-0000-7000-8000-00000000abCg"})", R"({"id":"0198c0de000070008000-00000000abcde"})",
        R"({"at":"2026-01-31 12:00:00Z"})", R"({"at":"2026-01-31T12:00:00"})", R"({"at":"2026-01-31T12:00:00.Z"})",
        R"({"at":"2026-01-31T12:00:00+0200"})"})
    EXPECT_THAT(errors_of(text, schema), SizeIs(1)) << text;
}

TEST(Schema, BoundsTheNumberOfErrors) {
  std::string many = R"({"provider":"x")";
  for (int i = 0; i < 100; ++i) many += ",\"unknown" + std::to_string(i) + "\":1";
  EXPECT_THAT(errors_of(many + "}"), SizeIs(field_errors_max));
}

TEST(Schema, OfPatchRequiresNothingAndNullClears) {
  const auto patch = patch_of(model(), "ModelPatch");
  EXPECT_THAT(errors_of("{}", patch), IsEmpty());
  EXPECT_THAT(errors_of(R"({"kind":null,"limits":null})", patch), IsEmpty());
  EXPECT_THAT(errors_of(R"({"provider":null})", patch), SizeIs(1)) << "what is required cannot be cleared";
}

TEST(Schema, IsWrittenAsJsonSchema) {
  const auto written = write_schema(model());
  EXPECT_TRUE(parse_json(written)) << written;
  EXPECT_THAT(written, HasSubstr(R"("limits":{"$ref":"#/components/schemas/Limits"})"));
  EXPECT_THAT(written, HasSubstr(R"("required":["provider"],"additionalProperties":false)"));
  EXPECT_THAT(written, HasSubstr(R"("contextWindow":{"type":["integer","null"],"minimum":1,"maximum":1000})"));
  EXPECT_EQ(reference_to(nullable(model())), R"({"anyOf":[{"$ref":"#/components/schemas/Model"},{"type":"null"}]})");
}

}  // namespace
}  // namespace tokenrail::registry_api
