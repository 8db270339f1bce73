package dpws

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/semeco/go-sdc/internal/xmlscan"
)

// LocalizedString is a text with its language.
type LocalizedString struct {
	Text string // at most MaxField characters
	Lang string // xml:lang, for example "en"; "" when not said
}

// Localized returns a list of one text in one language, "" for none.
func Localized(text, lang string) []LocalizedString {
	return []LocalizedString{{Text: text, Lang: lang}}
}

// ThisModel describes the type of a device (DPWS 1.1, 4.1). Texts are at most
// MaxField characters, URLs at most MaxURI bytes.
type ThisModel struct {
	Manufacturer    []LocalizedString // at least one
	ManufacturerURL string
	ModelName       []LocalizedString // at least one
	ModelNumber     string
	ModelURL        string
	PresentationURL string
}

// ThisDevice describes one device (DPWS 1.1, 4.2). Texts are at most MaxField characters.
type ThisDevice struct {
	FriendlyName    []LocalizedString // at least one
	FirmwareVersion string
	SerialNumber    string
}

// Validate checks that what is required is there and the size limits (META-2).
func (m *ThisModel) Validate() error {
	return firstError(
		checkTexts("Manufacturer", m.Manufacturer), checkURI("ManufacturerUrl", m.ManufacturerURL),
		checkTexts("ModelName", m.ModelName), checkText("ModelNumber", m.ModelNumber),
		checkURI("ModelUrl", m.ModelURL), checkURI("PresentationUrl", m.PresentationURL),
	)
}

// Validate checks that what is required is there and the size limits (META-2).
func (d *ThisDevice) Validate() error {
	return firstError(checkTexts("FriendlyName", d.FriendlyName),
		checkText("FirmwareVersion", d.FirmwareVersion), checkText("SerialNumber", d.SerialNumber))
}

func firstError(errs ...error) error {
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func checkTexts(field string, texts []LocalizedString) error {
	if len(texts) == 0 {
		return fmt.Errorf("dpws:%s is required", field)
	}
	for _, t := range texts {
		if err := checkText(field, t.Text); err != nil {
			return err
		}
	}
	return nil
}

func checkText(field, text string) error {
	if n := utf8.RuneCountInString(text); n > MaxField {
		return fmt.Errorf("dpws:%s has %d characters, more than %d", field, n, MaxField)
	}
	return nil
}

func checkURI(field, uri string) error {
	if len(uri) > MaxURI {
		return fmt.Errorf("dpws:%s has %d bytes, more than %d", field, len(uri), MaxURI)
	}
	return nil
}

// AppendXML appends the dpws:ThisModel element.
func (m *ThisModel) AppendXML(b []byte) []byte {
	b = append(b, `<dpws:ThisModel xmlns:dpws="`+xmlscan.NsDPWS+`">`...)
	b = appendTexts(b, "dpws:Manufacturer", m.Manufacturer)
	b = appendOptional(b, "dpws:ManufacturerUrl", m.ManufacturerURL)
	b = appendTexts(b, "dpws:ModelName", m.ModelName)
	b = appendOptional(b, "dpws:ModelNumber", m.ModelNumber)
	b = appendOptional(b, "dpws:ModelUrl", m.ModelURL)
	b = appendOptional(b, "dpws:PresentationUrl", m.PresentationURL)
	return xmlscan.AppendEnd(b, "dpws:ThisModel")
}

// AppendXML appends the dpws:ThisDevice element.
func (d *ThisDevice) AppendXML(b []byte) []byte {
	b = append(b, `<dpws:ThisDevice xmlns:dpws="`+xmlscan.NsDPWS+`">`...)
	b = appendTexts(b, "dpws:FriendlyName", d.FriendlyName)
	b = appendOptional(b, "dpws:FirmwareVersion", d.FirmwareVersion)
	b = appendOptional(b, "dpws:SerialNumber", d.SerialNumber)
	return xmlscan.AppendEnd(b, "dpws:ThisDevice")
}

func appendTexts(b []byte, element string, texts []LocalizedString) []byte {
	for _, t := range texts {
		b = xmlscan.AppendStart(b, element)
		if t.Lang != "" {
			b = xmlscan.AppendAttr(b, "xml:lang", t.Lang)
		}
		b = append(b, '>')
		b = xmlscan.AppendText(b, t.Text)
		b = xmlscan.AppendEnd(b, element)
	}
	return b
}

func appendOptional(b []byte, element, text string) []byte {
	if text == "" {
		return b
	}
	return xmlscan.AppendElement(b, element, text)
}

func decodeThisModel(s *xmlscan.Scanner) (*ThisModel, error) {
	m := new(ThisModel)
	for s.Child() {
		switch n := s.Name(); {
		case n.Space != xmlscan.NsDPWS:
			_ = s.Skip() // errors of the scanner are sticky
		case n.Local == "Manufacturer":
			decodeText(s, &m.Manufacturer)
		case n.Local == "ManufacturerUrl":
			decodeString(s, &m.ManufacturerURL)
		case n.Local == "ModelName":
			decodeText(s, &m.ModelName)
		case n.Local == "ModelNumber":
			decodeString(s, &m.ModelNumber)
		case n.Local == "ModelUrl":
			decodeString(s, &m.ModelURL)
		case n.Local == "PresentationUrl":
			decodeString(s, &m.PresentationURL)
		default:
			_ = s.Skip()
		}
	}
	return m, s.Err()
}

func decodeThisDevice(s *xmlscan.Scanner) (*ThisDevice, error) {
	d := new(ThisDevice)
	for s.Child() {
		switch n := s.Name(); {
		case n.Space != xmlscan.NsDPWS:
			_ = s.Skip()
		case n.Local == "FriendlyName":
			decodeText(s, &d.FriendlyName)
		case n.Local == "FirmwareVersion":
			decodeString(s, &d.FirmwareVersion)
		case n.Local == "SerialNumber":
			decodeString(s, &d.SerialNumber)
		default:
			_ = s.Skip()
		}
	}
	return d, s.Err()
}

// maxTexts bounds the languages of one field.
const maxTexts = 256

func decodeText(s *xmlscan.Scanner, texts *[]LocalizedString) {
	lang, _ := s.Attr(xmlscan.NsXML, "lang")
	if text, err := s.Text(); err == nil {
		if len(*texts) == maxTexts {
			_ = s.Errorf("more than %d languages", maxTexts)
			return
		}
		*texts = append(*texts, LocalizedString{Text: text, Lang: lang})
	}
}

func decodeString(s *xmlscan.Scanner, dst *string) {
	if text, err := s.Text(); err == nil {
		*dst = strings.TrimSpace(text)
	}
}
