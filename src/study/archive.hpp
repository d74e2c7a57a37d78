#pragma once

#include <cstring>
#include <optional>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>
#include <vector>

#include "thalweg/core/core.hpp"

namespace thalweg {

template <class Value>
concept Plain = std::is_arithmetic_v<Value>;

/// Appends values to bytes that a Reader of this machine reads back. Both are called alike, so that one function lists
/// the members of a type for both directions.
class Writer {
 public:
  template <class... Values>
  void operator()(const Values&... values) {
    (put(values), ...);
  }
  const std::string& bytes() const { return bytes_; }

 private:
  template <Plain Value>
  void put(const Value& value) {
    append(&value, sizeof value);
  }
  void put(const std::string& text) {
    put(text.size());
    append(text.data(), text.size());
  }
  void put(const Vector& y) {
    put(y.size());
    append(y.data(), static_cast<std::size_t>(y.size()) * sizeof(double));
  }
  template <class Value>
  void put(const std::vector<Value>& values) {
    put(values.size());
    for (const Value& value : values) put(value);
  }
  template <class Value>
  void put(const std::optional<Value>& value) {
    put(value.has_value());
    if (value) put(*value);
  }
  void append(const void* data, std::size_t size) {
    if (size > 0) bytes_.append(static_cast<const char*>(data), size);
  }

  std::string bytes_;
};

/// Throws std::runtime_error where the bytes end too early.
class Reader {
 public:
  explicit Reader(std::string_view bytes) : rest_(bytes) {}

  template <class... Values>
  void operator()(Values&... values) {
    (get(values), ...);
  }

 private:
  template <Plain Value>
  void get(Value& value) {
    take(&value, sizeof value);
  }
  void get(std::string& text) {
    text.resize(size(1));
    take(text.data(), text.size());
  }
  void get(Vector& y) {
    y.resize(static_cast<Index>(size(sizeof(double))));
    take(y.data(), static_cast<std::size_t>(y.size()) * sizeof(double));
  }
  template <class Value>
  void get(std::vector<Value>& values) {
    values.resize(size(1));
    for (Value& value : values) get(value);
  }
  template <class Value>
  void get(std::optional<Value>& value) {
    bool there = false;
    get(there);
    value.reset();
    if (there) get(value.emplace());
  }
  /// A count of entries that the rest can hold.
  std::size_t size(std::size_t bytes_each) {
    std::size_t count = 0;
    get(count);
    if (count > rest_.size() / bytes_each) throw std::runtime_error("it is cut short");
    return count;
  }
  void take(void* to, std::size_t size) {
    if (size > rest_.size()) throw std::runtime_error("it is cut short");
    if (size > 0) std::memcpy(to, rest_.data(), size);
    rest_.remove_prefix(size);
  }

  std::string_view rest_;
};

}  // namespace thalweg
