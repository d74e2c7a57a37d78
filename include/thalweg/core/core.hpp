#pragma once

#include <string>

#include <Eigen/Core>

namespace thalweg {

using Index = Eigen::Index;
using Vector = Eigen::VectorXd;
using Matrix = Eigen::MatrixXd;

/// Arguments are read through In and written through Out: views, never copies.
using In = const Eigen::Ref<const Vector>&;
using Out = Eigen::Ref<Vector>;

/// Misuse by the caller: throws std::invalid_argument(message) unless `holds`.
void require(bool holds, const std::string& message);

/// `value` in the shortest decimal form that reads back to the same double; "nan" where it is not a number.
std::string to_text(double value);
/// The same for single precision.
std::string to_text_single(float value);

/// `text` as a finite double; throws std::invalid_argument("WHAT: '...' is not a number") otherwise.
double to_number(const std::string& text, const std::string& what);

}  // namespace thalweg
