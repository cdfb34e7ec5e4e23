// Reads the pad as SFML does, which asks udev which joysticks there are; draws through GLX.
#include <SFML/Graphics.hpp>
#include <cstdio>

int main()
{
    std::setvbuf(stdout, nullptr, _IOLBF, 0);
    sf::RenderWindow window(sf::VideoMode(320, 240), "probe");
    sf::Vector2i place;
    for (unsigned frame = 0; window.isOpen(); frame++) {
        sf::Event event;
        while (window.pollEvent(event)) {
            if (event.type == sf::Event::JoystickButtonPressed)
                std::printf("pressed %u\n", event.joystickButton.button);
            else if (event.type == sf::Event::KeyPressed)
                std::printf("key %d\n", event.key.code == sf::Keyboard::Space);
        }
        place = sf::Mouse::getPosition();
        bool there = sf::Joystick::isConnected(0);
        bool pressed = sf::Joystick::isButtonPressed(0, 0);
        float x = sf::Joystick::getAxisPosition(0, sf::Joystick::X);
        if (frame % 10 == 0)
            std::printf("%u there %d buttons %u south %d x %.0f mouse %d %d %d %s\n", frame, there,
                        sf::Joystick::getButtonCount(0), pressed, x,
                        sf::Mouse::isButtonPressed(sf::Mouse::Left), place.x, place.y,
                        sf::Joystick::getIdentification(0).name.toAnsiString().c_str());
        window.clear(sf::Color(pressed ? 255 : 0, 100, 50));
        window.display();
    }
}
