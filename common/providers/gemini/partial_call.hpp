// A tool call whose arguments come in pieces, each with the place where it belongs (Vertex AI, with
// `streamFunctionCallArguments`). Pure.
#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include <simdjson.h>

namespace tokenrail::providers::gemini {

/// A JSON value that is being put together.
struct PartialValue {
  enum class Kind { none, object, array, text, literal };
  Kind kind = Kind::none;
  std::string text{};  ///< of a string its characters, of a literal its JSON
  std::vector<std::string> names{};
  std::map<std::string, std::size_t, std::less<>> places{};  ///< of the names: a call may have many arguments
  std::vector<PartialValue> values{};                        ///< of an object (one a name) or an array
};

class PartialCall {
 public:
  PartialCall(std::string_view id, std::string_view name, std::string_view signature)
      : id_(id), name_(name), signature_(signature) {}

  /// One entry of `partialArgs`: a `jsonPath` and a value. Text for a place that has text already continues it. False:
  /// the place cannot be understood, or contradicts an earlier one.
  [[nodiscard]] bool add(simdjson::dom::element piece);

  /// The arguments so far as one JSON object.
  [[nodiscard]] std::string arguments() const;
  [[nodiscard]] const std::string& id() const { return id_; }
  [[nodiscard]] const std::string& name() const { return name_; }
  [[nodiscard]] const std::string& signature() const { return signature_; }
  /// The size of the pieces so far, and of the values that they made.
  [[nodiscard]] std::size_t bytes() const { return bytes_; }

 private:
  std::string id_;
  std::string name_;
  std::string signature_;
  PartialValue root_{.kind = PartialValue::Kind::object};
  std::size_t bytes_ = 0;
};

}  // namespace tokenrail::providers::gemini
