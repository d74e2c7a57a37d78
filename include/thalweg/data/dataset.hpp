#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "thalweg/core/core.hpp"

namespace thalweg {

/// Labelled points. x: N x d, one sample a row, so that each feature is contiguous over the samples.
struct Samples {
  Matrix x;
  std::vector<int> clean;     // the true class, 0 .. classes - 1
  std::vector<int> label;     // what training sees: `clean` after label noise
  std::vector<int> fragment;  // which connected piece of the support the point came from

  Index size() const { return x.rows(); }
};

/// What to draw. Every dial says in data.kind's row which generators read it; lengths are in the data's own unit.
/// Streams are read in the order of the samples: a larger set extends a smaller one, and with everything else equal
/// the labels that are wrong at a low rate stay wrong at a higher one.
struct DataSpec {
  std::string kind = "moons";
  Index samples = 300;             // training, at least 1; lang-witbrock has 194, csv has its shares instead
  Index validation_samples = 300;  // at least 0
  Index test_samples = 1000;       // at least 0
  std::string noise_kind = "symmetric";
  double noise = 0;           // rate rho of wrong training labels, in [0, 1); `class` reads its matrix instead
  double noise_length = 0.1;  // ell of `boundary`
  std::string noise_matrix;   // `class`: rows of P(label = column | clean = row), "0.9,0.1;0.2,0.8"
  std::uint64_t seed = 0;

  double turns = 1.5;      // spirals: revolutions of an arm
  double amplitude = 0.5;  // sine: A
  double frequency = 1;    // sine: k
  int rings = 3;           // rings: number of annuli
  int grid = 3;            // islands: K
  double spread = 0.2;     // islands, gaussians: std s of a blob
  double distance = 1;     // gaussians: distance d of the centres
  double jitter = 0.1;     // spirals, lang-witbrock (not its 194), moons, circles: std of the points' own noise

  std::string file;                // csv: cells separated by commas, quoted as in RFC 4180; a header is recognised
  std::string label_column;        // csv: name, or 1-based position (an integer); empty: the last column
  double validation_share = 0.15;  // csv: shares of the rows held out
  double test_share = 0.25;
};

struct Dataset {
  Samples train, validation, test;
  std::vector<std::string> class_names, feature_names;
  Vector low, high;           // d: the domain, a box that holds the points up to their tails
  double noise_nominal = 0;   // expected share of wrong training labels: the mean over them of P(label != clean)
  double noise_realised = 0;  // share of training labels that differ from the clean ones

  int classes() const { return static_cast<int>(class_names.size()); }
  Index features() const { return train.x.cols(); }
};

struct DataKind {
  std::string_view name, what;
  std::string_view dials;  // the DataSpec keys it reads, blank-separated, without "data."
};
std::span<const DataKind> data_kinds();

struct NoiseKind {
  std::string_view name, what;
};
std::span<const NoiseKind> noise_kinds();

/// The data set of `spec`: a pure function of it (and of the file's content for `csv`).
/// Throws std::invalid_argument on a bad value, std::runtime_error on an unreadable file.
Dataset make_dataset(const DataSpec& spec);

/// One row a sample: x0.., clean, label, fragment, split (train, validation, test), features as the network sees them.
/// Written beside `file` and renamed, so that `file` is never half written. Throws std::runtime_error on failure.
void write_data(const std::filesystem::path& file, const Dataset& data);

/// Reads what write_data wrote, bit for bit; splits that are absent stay empty. Classes and features get their numbers
/// for names (at least two classes), the domain is the box of the points, noise_nominal is not a number.
/// Throws std::invalid_argument that names a malformed row by its line, std::runtime_error on an unreadable file.
Dataset read_data(const std::filesystem::path& file);

}  // namespace thalweg
