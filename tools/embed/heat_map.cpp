#include "heat_map.hpp"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>

#include <klue/core/utf8.hpp>

namespace embed {
namespace {

// cividis, by J. R. Nuñez, C. R. Anderton, R. S. Renslow (PLoS ONE 13(7), 2018), at ten points.
constexpr std::array<std::array<int, 3>, 10> kColours{{{0, 34, 78},
                                                       {18, 53, 112},
                                                       {59, 73, 108},
                                                       {87, 93, 109},
                                                       {112, 113, 115},
                                                       {138, 134, 120},
                                                       {165, 156, 116},
                                                       {195, 179, 105},
                                                       {225, 204, 85},
                                                       {254, 232, 56}}};

std::string colour_at(double share) {
  const double at = std::clamp(share, 0.0, 1.0) * (kColours.size() - 1);
  const auto low = std::min(static_cast<std::size_t>(at), kColours.size() - 2);
  const double part = at - static_cast<double>(low);
  char text[16];
  std::array<int, 3> rgb{};
  for (std::size_t c = 0; c < 3; ++c)
    rgb[c] =
        static_cast<int>(std::lround(kColours[low][c] * (1 - part) + kColours[low + 1][c] * part));
  std::snprintf(text, sizeof text, "#%02x%02x%02x", rgb[0], rgb[1], rgb[2]);
  return text;
}

std::string fixed(double number, int decimals) {
  char text[32];
  std::snprintf(text, sizeof text, "%.*f", decimals, number);
  return text;
}

// Columns that a text takes in a monospaced font: Hangul and ideographs take two.
int columns_of(char32_t c) {
  const bool wide = (c >= 0x1100 && c < 0x1160) || (c >= 0x2E80 && c < 0xA4D0) ||
                    (c >= 0xAC00 && c < 0xD7A4) || (c >= 0xF900 && c < 0xFB00) ||
                    (c >= 0xFF00 && c < 0xFF61) || c >= 0x1F300;
  return wide ? 2 : 1;
}

struct Label {
  std::string xml;
  int columns = 0;
};

// As much of a text as there is room for, fit for XML.
Label label_of(std::string_view text) {
  constexpr int kMost = 28;
  Label label;
  while (!text.empty()) {
    const klue::DecodedCodePoint point = klue::decode_utf8(text);
    text.remove_prefix(point.length);
    // XML knows no control characters.
    const char32_t c = point.value < 0x20 || point.value == 0x7F ? U' ' : point.value;
    if (label.columns + columns_of(c) > kMost - 1 && !text.empty()) {
      label.xml.append("…");
      ++label.columns;
      break;
    }
    label.columns += columns_of(c);
    if (c == U'<')
      label.xml.append("&lt;");
    else if (c == U'&')
      label.xml.append("&amp;");
    else
      klue::append_utf8(label.xml, c == 0xFFFE || c == 0xFFFF ? klue::kReplacementCharacter : c);
  }
  return label;
}

class Drawing {
 public:
  Drawing(const std::vector<std::string>& texts, std::span<const float> cosines)
      : cosines_(cosines), count_(texts.size()) {
    labelled_ = count_ <= 80;
    cell_ = count_ <= 12   ? 44
            : count_ <= 30 ? 30
            : count_ <= 80 ? 16
                           : std::max(1.0, 1200.0 / static_cast<double>(count_));
    int widest = 0;
    for (const std::string& text : texts) {
      labels_.push_back(label_of(text));
      widest = std::max(widest, labels_.back().columns);
    }
    font_ = std::min(14.0, cell_ * 0.8);
    margin_ = labelled_ ? widest * font_ * 0.56 + 12 : 8;
    for (const float x : cosines)
      if (std::isfinite(x)) low_ = std::min(low_, static_cast<double>(x));
    low_ = low_ < 0 ? std::floor(low_ * 10) / 10 : 0;
  }

  std::string draw() {
    const double side = cell_ * static_cast<double>(count_);
    // The columns' labels lean where there is room, and stand upright where there is not.
    angle_ = cell_ >= 30 ? 45 : 90;
    const double lean = cell_ >= 30 ? margin_ * 0.71 : margin_;
    const double width = margin_ + side + std::max(110.0, labelled_ && angle_ < 90 ? lean : 0),
                 height = lean + side + 20;
    svg_ = "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"" + fixed(width, 0) + "\" height=\"" +
           fixed(height, 0) + "\" viewBox=\"0 0 " + fixed(width, 0) + " " + fixed(height, 0) +
           "\" font-family=\"'Noto Sans CJK KR','Noto Sans KR','Apple SD Gothic Neo','Malgun "
           "Gothic',NanumGothic,sans-serif\">\n"
           "<rect width=\"100%\" height=\"100%\" fill=\"white\"/>\n";
    top_ = lean;
    if (labelled_) draw_labels();
    for (std::size_t i = 0; i < count_; ++i)
      for (std::size_t j = 0; j < count_; ++j)
        draw_cell(i, j);
    draw_legend(margin_ + side + 24, side);
    svg_ += "</svg>\n";
    return std::move(svg_);
  }

 private:
  double share(double cosine) const { return (cosine - low_) / (1 - low_); }

  void text(double x, double y, double size, const char* more, const std::string& xml) {
    svg_ += "<text x=\"" + fixed(x, 1) + "\" y=\"" + fixed(y, 1) + "\" font-size=\"" +
            fixed(size, 1) + "\" " + more + ">" + xml + "</text>\n";
  }

  void draw_labels() {
    for (std::size_t i = 0; i < count_; ++i) {
      const double middle = (static_cast<double>(i) + 0.5) * cell_;
      text(margin_ - 8, top_ + middle + font_ * 0.35, font_, "text-anchor=\"end\"", labels_[i].xml);
      const double x = margin_ + middle + font_ * 0.3, y = top_ - 6;
      std::string turn("transform=\"rotate(-");
      turn.append(std::to_string(angle_)).append(" ").append(fixed(x, 1));
      turn.append(" ").append(fixed(y, 1)).append(")\"");
      text(x, y, font_, turn.c_str(), labels_[i].xml);
    }
  }

  void draw_cell(std::size_t i, std::size_t j) {
    const double cosine = static_cast<double>(cosines_[i * count_ + j]);
    const double x = margin_ + cell_ * static_cast<double>(j),
                 y = top_ + cell_ * static_cast<double>(i);
    const double gap = cell_ >= 16 ? 1 : 0;
    const bool known = std::isfinite(cosine);
    svg_ += "<rect x=\"" + fixed(x, 1) + "\" y=\"" + fixed(y, 1) + "\" width=\"" +
            fixed(cell_ - gap, 1) + "\" height=\"" + fixed(cell_ - gap, 1) + "\" fill=\"" +
            (known ? colour_at(share(cosine)) : "white") + "\"/>\n";
    if (cell_ < 30 || !known) return;
    const char* ink = share(cosine) > 0.55 ? "text-anchor=\"middle\" fill=\"black\""
                                           : "text-anchor=\"middle\" fill=\"white\"";
    text(x + (cell_ - gap) / 2, y + cell_ / 2 + cell_ * 0.1, cell_ * 0.28, ink, fixed(cosine, 2));
  }

  void draw_legend(double x, double side) {
    const double height = std::clamp(side, 80.0, 220.0);
    constexpr int kSteps = 50;
    for (int s = 0; s < kSteps; ++s)
      svg_ += "<rect x=\"" + fixed(x, 1) + "\" y=\"" +
              fixed(top_ + height * (kSteps - 1 - s) / kSteps, 2) + "\" width=\"16\" height=\"" +
              fixed(height / kSteps + 0.5, 2) + "\" fill=\"" + colour_at((s + 0.5) / kSteps) +
              "\"/>\n";
    for (int tick = 0; tick <= 4; ++tick)
      text(x + 22, top_ + height * (4 - tick) / 4 + 4, 11, "fill=\"black\"",
           fixed(low_ + (1 - low_) * tick / 4, 2));
  }

  std::span<const float> cosines_;
  std::size_t count_;
  std::vector<Label> labels_;
  bool labelled_ = true;
  int angle_ = 45;
  double cell_ = 0, font_ = 0, margin_ = 0, top_ = 0, low_ = 0;
  std::string svg_;
};

}  // namespace

std::string heat_map(const std::vector<std::string>& labels, std::span<const float> cosines) {
  return Drawing(labels, cosines).draw();
}

}  // namespace embed
